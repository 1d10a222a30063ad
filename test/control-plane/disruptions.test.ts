// PodDisruptionBudgets with the real control plane: what may be evicted follows what is healthy.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "#client/client.ts";
import { PodDisruptionBudgets, Pods, ReplicationControllers } from "#client/refs.ts";
import type { Pod, ReplicationController } from "#machinery/gen/types/core-v1.ts";
import type { PodDisruptionBudget } from "#machinery/gen/types/policy-v1.ts";
import { ApiError } from "#machinery/status.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

async function withPlane(use: (admin: Client) => Promise<void>): Promise<void> {
  const plane = await startControlPlane();
  const stopKubelets = playKubelets(plane.admin);
  try {
    await addNode(plane.admin, "node-1");
    await use(plane.admin);
  } finally {
    await stopKubelets();
    await plane.stop();
  }
}

const labels = { app: "web" };
const controller = (replicas: number): ReplicationController => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: labels,
    template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
  },
});
const budget = (spec: object): PodDisruptionBudget => ({
  metadata: { name: "web", namespace: "default" },
  spec: { selector: { matchLabels: labels }, ...spec },
});
const seen = (admin: Client, allowed: number, healthy: number): Promise<PodDisruptionBudget> =>
  eventually(async () => {
    const now = await admin.get<PodDisruptionBudget>(PodDisruptionBudgets, "default", "web");
    const { disruptionsAllowed, currentHealthy, observedGeneration } = now.status ?? {};
    const isCurrent = observedGeneration === now.metadata?.generation;
    return isCurrent && disruptionsAllowed === allowed && currentHealthy === healthy && now;
  });
const podsOf = async (admin: Client): Promise<readonly Pod[]> =>
  (await admin.list<Pod>(Pods, { namespace: "default" })).items;
const evict = (admin: Client, name: string): Promise<unknown> =>
  admin.json("POST", `/api/v1/namespaces/default/pods/${name}/eviction`, {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: "default" },
  });
const refused = async (work: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await work.then(
    () => new Error("it was allowed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ApiError, String(error));
  return error;
};

test("one pod at a time may go, and the next one when its replacement is ready", () =>
  withPlane(async (admin) => {
    await admin.create(ReplicationControllers, "default", controller(3));
    await admin.create(PodDisruptionBudgets, "default", budget({ maxUnavailable: 1 }));
    const { status } = await seen(admin, 1, 3);
    assert.deepEqual([status?.desiredHealthy, status?.expectedPods], [2, 3]);
    assert.deepEqual(
      status?.conditions?.map((one) => [one.type, one.status, one.reason]),
      [["DisruptionAllowed", "True", "SufficientPods"]],
    );
    const before = (await podsOf(admin)).map(({ metadata }) => metadata?.name ?? "");
    await admin.patch(Pods, "default", before[1] ?? "", "merge", {
      metadata: { finalizers: ["example.com/f"] },
    });
    await evict(admin, before[1] ?? "");
    const marked = await admin.get<Pod>(Pods, "default", before[1] ?? "");
    const target = marked.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [target?.status, target?.reason, target?.message],
      ["True", "EvictionByEvictionAPI", "Eviction API: evicting"],
    );
    await admin.patch(Pods, "default", before[1] ?? "", "merge", { metadata: { finalizers: null } });
    await eventually(async () => !(await podsOf(admin)).some(({ metadata }) => metadata?.name === before[1]));
    const after = await seen(admin, 1, 3);
    assert.deepEqual(Object.keys(after.status?.disruptedPods ?? {}), []);
    await evict(admin, before[0] ?? "");
    await seen(admin, 1, 3);
  }));

test("a budget without room refuses, and says how many it needs", () =>
  withPlane(async (admin) => {
    await admin.create(ReplicationControllers, "default", controller(2));
    await admin.create(PodDisruptionBudgets, "default", budget({ minAvailable: "100%" }));
    await seen(admin, 0, 2);
    const [first] = await podsOf(admin);
    const error = await refused(evict(admin, first?.metadata?.name ?? ""));
    assert.equal(error.code, 429);
    assert.deepEqual(error.status.details?.causes, [
      {
        reason: "DisruptionBudget",
        message: "The disruption budget web needs 2 healthy pods and has 2 currently",
      },
    ]);
    await admin.patch(PodDisruptionBudgets, "default", "web", "merge", { spec: { minAvailable: "50%" } });
    await seen(admin, 1, 2);
    await evict(admin, first?.metadata?.name ?? "");
  }));

test("pods of a custom kind of which nobody knows the scale allow nothing", () =>
  withPlane(async (admin) => {
    const owner = {
      apiVersion: "example.com/v1",
      kind: "Rack",
      name: "r",
      uid: "no-such-uid",
      controller: true,
    };
    await admin.create<Pod>(Pods, "default", {
      metadata: { name: "p", namespace: "default", labels, ownerReferences: [owner] },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    await admin.create(PodDisruptionBudgets, "default", budget({ maxUnavailable: 1 }));
    const failed = await eventually(async () => {
      const now = await admin.get<PodDisruptionBudget>(PodDisruptionBudgets, "default", "web");
      return now.status?.conditions?.[0]?.reason === "SyncFailed" && now;
    });
    assert.equal(
      failed.status?.conditions?.[0]?.message,
      'no matches for kind "Rack" in group "example.com"',
    );
    assert.equal(failed.status?.disruptionsAllowed, 0);
  }));
