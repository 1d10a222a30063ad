// One resource in two versions with one stored form: every read and write in both, with a conversion that answers at
// once and with one that answers later.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { privilegedGroupAuthorizer } from "#apiserver/auth/authorizers.ts";
import type { Transport } from "#machinery/api-request.ts";
import { converting, defineResource, type Conversion } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { checkDnsSubdomain } from "#machinery/names.ts";
import { openStore } from "#store/open.ts";
import type { Store } from "#store/store.ts";
import { admin, ask, watch } from "./api-under-test.ts";

interface One extends KubeObject {
  spec?: { targetCPUUtilizationPercentage?: number; maxReplicas?: number };
}
interface Two extends KubeObject {
  spec?: { metrics?: { type: string; resource: object }[]; maxReplicas?: number };
}

const group = "autoscaling";
const kind = "HorizontalPodAutoscaler";
const resource = "horizontalpodautoscalers";
const metric = (percent: number): { type: string; resource: object } => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percent } },
});

const pure = converting<One, Two>({
  fromStorage({ spec: { metrics = [], ...spec } = {}, ...rest }) {
    const target = metrics[0]?.resource as { target: { averageUtilization: number } } | undefined;
    const percent =
      target === undefined ? {} : { targetCPUUtilizationPercentage: target.target.averageUtilization };
    return { ...rest, spec: { ...spec, ...percent } };
  },
  toStorage({ spec: { targetCPUUtilizationPercentage: percent, ...spec } = {}, ...rest }) {
    return { ...rest, spec: { ...spec, ...(percent === undefined ? {} : { metrics: [metric(percent)] }) } };
  },
});

const soon = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)));
const later: Conversion = {
  fromStorage: async (stored) => soon(await pure.fromStorage(stored)),
  toStorage: async (object) => soon(await pure.toStorage(object)),
};

function definitions(conversion: Conversion) {
  const given = {
    group,
    kind,
    resource,
    namespaced: true,
    validateName: checkDnsSubdomain,
    columns: [],
    storage: { group, resource, version: "v2" },
    status: {},
    generation: "spec" as const,
  };
  return [
    defineResource({ ...given, version: "v2" }),
    defineResource<One>({
      ...given,
      version: "v1",
      conversion,
      selectableFields: {
        "spec.percent": ({ spec }) => String(spec?.targetCPUUtilizationPercentage ?? ""),
      },
    }),
  ];
}

const path = (version: string, name = ""): string =>
  `/apis/${group}/${version}/namespaces/n/${resource}${name === "" ? "" : `/${name}`}`;
const one = (name: string, percent: number): object => ({
  metadata: { name },
  spec: { maxReplicas: 3, targetCPUUtilizationPercentage: percent, scaleTargetRef: { kind: "K", name: "x" } },
});

for (const [what, conversion] of Object.entries({ "at once": pure, later })) {
  describe(`two versions, converted ${what}`, () => {
    let store: Store;
    let server: ApiServer;
    let api: Transport;

    before(async () => {
      store = await openStore({ engine: "memory" }, realClock);
      server = await createApiServer({
        store,
        resources: definitions(conversion),
        settings: { serviceClusterIpRanges: [], serviceNodePortRange: { from: 1, to: 2 } },
        clock: realClock,
        random: seededRandom(1),
        log: silentLogger,
        admission: () => [],
        authenticator: { authenticate: () => undefined },
        authorizer: privilegedGroupAuthorizer,
        subresources: {},
        rulesOf: () => [],
        issuer: "https://issuer",
        jwks: () => ({ keys: [] }),
      });
      api = server.direct(admin);
    });
    after(async () => {
      await server.stop();
      await store.close();
    });

    test("what one version writes the other reads; the store has one form", async () => {
      const created = await ask(api, "POST", path("v1"), { body: one("a", 50) });
      assert.equal(created.status, 201, created.text);
      assert.equal(created.json.apiVersion, "autoscaling/v1");
      assert.equal(created.json.spec.targetCPUUtilizationPercentage, 50);
      const [v1, v2] = [await ask(api, "GET", path("v1", "a")), await ask(api, "GET", path("v2", "a"))];
      assert.deepEqual(v1.json, created.json);
      assert.equal(v2.json.apiVersion, "autoscaling/v2");
      assert.deepEqual(v2.json.spec.metrics, [metric(50)]);
      assert.equal(v2.json.metadata.resourceVersion, v1.json.metadata.resourceVersion);
      assert.deepEqual(v2.json.metadata.managedFields, v1.json.metadata.managedFields);
      const stored = await store.get(`/registry/${group}/${resource}/n/a`);
      assert.match(String(stored?.value), /"apiVersion":"autoscaling\/v2"/);
    });

    test("lists, their pages, and fields of the version that is asked", async () => {
      await ask(api, "POST", path("v2"), {
        body: { metadata: { name: "b" }, spec: { metrics: [metric(60)] } },
      });
      const all = await ask(api, "GET", path("v1"));
      assert.equal(all.json.apiVersion, "autoscaling/v1");
      assert.deepEqual(
        all.json.items.map((item: any) => item.spec.targetCPUUtilizationPercentage),
        [50, 60],
      );
      const selected = await ask(api, "GET", `${path("v1")}?fieldSelector=spec.percent%3D60`);
      assert.deepEqual(
        selected.json.items.map((item: any) => item.metadata.name),
        ["b"],
      );
      const first = await ask(api, "GET", `${path("v1")}?limit=1`);
      const second = await ask(api, "GET", `${path("v1")}?limit=1&continue=${first.json.metadata.continue}`);
      assert.deepEqual(second.json.items, [all.json.items[1]]);
    });

    test("a watch shows its own version, in order", async () => {
      const [one, two] = [
        await watch(api, `${path("v1")}?watch=true`),
        await watch(api, `${path("v2")}?watch=true`),
      ];
      for (const name of ["a", "b"]) {
        assert.equal((await one.next())?.object.metadata.name, name);
        assert.equal((await two.next())?.object.apiVersion, "autoscaling/v2");
      }
      for (const percent of [51, 52, 53])
        await ask(api, "PATCH", path("v1", "a"), {
          body: { spec: { targetCPUUtilizationPercentage: percent } },
          headers: { "content-type": "application/merge-patch+json" },
        });
      for (const percent of [51, 52, 53]) {
        const event = await one.next();
        assert.equal(event?.type, "MODIFIED");
        assert.equal(event?.object.spec.targetCPUUtilizationPercentage, percent);
        assert.deepEqual((await two.next())?.object.spec.metrics, [metric(percent)]);
      }
      await ask(api, "DELETE", path("v2", "b"));
      const gone = await one.next();
      assert.equal(gone?.type, "DELETED");
      assert.equal(gone?.object.spec.targetCPUUtilizationPercentage, 60);
      one.stop();
      two.stop();
    });

    test("an update that changes nothing writes nothing", async () => {
      const { json } = await ask(api, "GET", path("v1", "a"));
      const { json: again } = await ask(api, "PUT", path("v1", "a"), { body: json });
      assert.equal(again.metadata.resourceVersion, json.metadata.resourceVersion);
      assert.equal(again.metadata.generation, 4);
    });

    test("who applies in one version owns fields as the other one sees them", async () => {
      const apply = (version: string, manager: string, spec: object) =>
        ask(api, "PATCH", `${path(version, "c")}?fieldManager=${manager}`, {
          body: { apiVersion: `${group}/${version}`, kind, metadata: { name: "c" }, spec },
          headers: { "content-type": "application/apply-patch+yaml" },
        });
      const first = await apply("v1", "ana", { targetCPUUtilizationPercentage: 10, maxReplicas: 2 });
      assert.equal(first.status, 201, first.text);
      const clash = await apply("v2", "bea", { metrics: [metric(20)] });
      assert.equal(clash.status, 409);
      assert.match(clash.json.message, /conflict with "ana": \.spec\.targetCPU/);
      const beside = await apply("v2", "bea", { minReplicas: 1 });
      assert.equal(beside.status, 200, beside.text);
      assert.deepEqual(beside.json.metadata.managedFields.map((entry: any) => entry.apiVersion).sort(), [
        "autoscaling/v1",
        "autoscaling/v2",
      ]);
      assert.deepEqual(beside.json.spec.metrics, [metric(10)]);
      const dropped = await apply("v1", "ana", { maxReplicas: 2 });
      assert.equal(dropped.json.spec.targetCPUUtilizationPercentage, undefined);
      assert.equal(dropped.json.spec.minReplicas, 1);
    });

    test("dry runs, the status and deletions answer in the version of the request", async () => {
      const dry = await ask(api, "POST", `${path("v1")}?dryRun=All`, { body: one("d", 5) });
      assert.equal(dry.json.spec.targetCPUUtilizationPercentage, 5);
      const status = await ask(api, "PATCH", `${path("v1", "a")}/status`, {
        body: { status: { currentReplicas: 2 } },
        headers: { "content-type": "application/merge-patch+json" },
      });
      assert.equal(status.status, 200, status.text);
      assert.equal(status.json.status.currentReplicas, 2);
      assert.equal((await ask(api, "DELETE", path("v1", "a"))).status, 200);
      assert.equal((await ask(api, "GET", path("v2", "a"))).status, 404);
    });

    test("discovery prefers the version that is listed first", async () => {
      const { json } = await ask(api, "GET", `/apis/${group}`);
      assert.equal(json.preferredVersion.version, "v2");
      assert.deepEqual(
        json.versions.map((one: any) => one.version),
        ["v2", "v1"],
      );
    });
  });
}

test("values of the same version pass through as they are", async () => {
  const [two] = definitions(pure);
  assert.equal(two?.conversion, undefined);
  assert.equal(two?.epoch, 1);
});
