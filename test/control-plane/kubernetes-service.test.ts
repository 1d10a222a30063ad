// What every cluster has comes back when somebody deletes it: `kubectl delete services --all` is in many a tutorial.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Endpoints, EndpointSlices, Namespaces, Services } from "#client/refs.ts";
import type { Endpoints as EndpointsObject, Namespace, Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { isApiError } from "#machinery/status.ts";
import { startCluster } from "#compose/index.ts";
import { eventually } from "./control-plane.ts";

/** Undefined while one of them is absent. */
const present = <T>(read: Promise<T>): Promise<T | undefined> =>
  read.catch((error: unknown) => {
    if (isApiError(error, "NotFound")) return undefined;
    throw error;
  });

test("the Service kubernetes, its endpoints and kube-node-lease come back as they were", async () => {
  const cluster = await startCluster();
  try {
    const { client } = cluster;
    const service = () => client.get<Service>(Services, "default", "kubernetes");
    const slice = () => client.get<EndpointSlice>(EndpointSlices, "default", "kubernetes");
    const endpoints = () => client.get<EndpointsObject>(Endpoints, "default", "kubernetes");
    const all = () =>
      present(
        Promise.all([service(), slice(), endpoints()]).then((found) => ({
          service: found[0],
          slice: found[1],
          endpoints: found[2],
        })),
      );
    const before = await eventually(all);
    assert.deepEqual(before.slice.endpoints, [{ addresses: ["127.0.0.1"], conditions: { ready: true } }]);
    assert.deepEqual(before.endpoints.subsets?.[0]?.ports, [
      { name: "https", port: before.slice.ports?.[0]?.port, protocol: "TCP" },
    ]);

    await client.patch(Endpoints, "default", "kubernetes", "merge", { subsets: [] });
    await client.delete(Services, "default", "kubernetes");
    await client.delete(EndpointSlices, "default", "kubernetes");
    await client.delete(Namespaces, "", "kube-node-lease");
    const after = await eventually(async () => {
      const now = await all();
      const changed = now?.service.metadata?.uid !== before.service.metadata?.uid;
      return now !== undefined && changed && (now.endpoints.subsets ?? []).length > 0 ? now : undefined;
    });
    assert.deepEqual(after.service.spec, before.service.spec);
    assert.deepEqual(after.slice.endpoints, before.slice.endpoints);
    assert.deepEqual(after.endpoints.subsets, before.endpoints.subsets);
    await eventually(async () => {
      const found = await present(client.get<Namespace>(Namespaces, "", "kube-node-lease"));
      return found?.status?.phase === "Active";
    });
  } finally {
    await cluster.stop();
  }
});
