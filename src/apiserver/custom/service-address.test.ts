import assert from "node:assert/strict";
import { test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { openStore } from "#store/open.ts";
import { startCaches } from "../caches.ts";
import { encodeObject, packValue, storageKey } from "../stored-object.ts";
import { serviceAddress } from "./service-address.ts";

const services = { group: "", version: "v1", resource: "services", kind: "Service" };
const slices = {
  group: "discovery.k8s.io",
  version: "v1",
  resource: "endpointslices",
  kind: "EndpointSlice",
};

test("a webhook's service is reached at a ready endpoint, or at its cluster IP", async () => {
  const store = await openStore({ engine: "memory" }, realClock);
  const put = async (type: typeof services, name: string, rest: object): Promise<void> => {
    const object: KubeObject = {
      metadata: { name, namespace: "n", ...(rest as { metadata?: object }).metadata },
    };
    const value = packValue(encodeObject({ ...rest, ...object }, type, ""));
    await store.txn([], [{ put: storageKey(type, "n", name), value }]);
  };
  const slice = (service: string, ready: boolean, address: string): object => ({
    metadata: { labels: { "kubernetes.io/service-name": service } },
    ports: [{ name: "web", port: 8443 }],
    endpoints: [{ addresses: [address], conditions: { ready } }],
  });
  const ports = [{ name: "web", port: 443 }];
  await put(services, "hook", { spec: { clusterIP: "10.96.0.7", ports } });
  await put(slices, "hook-1", slice("hook", false, "10.1.0.1"));
  await put(slices, "hook-2", slice("hook", true, "10.1.0.2"));
  await put(slices, "other-1", slice("other", true, "10.1.0.3"));
  await put(services, "idle", { spec: { clusterIP: "10.96.0.8", ports } });
  await put(services, "headless", { spec: { clusterIP: "None", ports } });
  await put(services, "away", { spec: { type: "ExternalName", externalName: "hooks.example.com" } });
  const caches = await startCaches(store, [services, slices], { log: silentLogger, clock: realClock });
  const at = (name: string, port = 443) =>
    serviceAddress(caches, seededRandom(1), { namespace: "n", name, port });
  assert.deepEqual(at("hook"), { host: "10.1.0.2", port: 8443 });
  assert.deepEqual(at("idle"), { host: "10.96.0.8", port: 443 });
  assert.deepEqual(at("away"), { host: "hooks.example.com", port: 443 });
  assert.throws(() => at("headless"), /no endpoints available for service "headless"/);
  assert.throws(() => at("nobody"), /service "nobody" not found/);
  assert.throws(() => at("hook", 80), /no service port 80 found for service "hook"/);
  caches.stop();
  await store.close();
});
