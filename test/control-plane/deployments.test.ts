// Deployments with the real control plane: rolled out, updated, undone, scaled, deleted with all that is theirs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployments, Events, Pods, ReplicaSets } from "#client/refs.ts";
import type { Deployment, ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Event, Pod } from "#machinery/gen/types/core-v1.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

const deployment = (image: string, replicas = 4): Deployment => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
  },
});

test("a Deployment is rolled out, updated, undone, scaled, and takes its ReplicaSets and pods with it", async () => {
  const plane = await startControlPlane();
  const { admin } = plane;
  const stopKubelets = playKubelets(admin);
  try {
    for (const name of ["n1", "n2", "n3"]) await addNode(admin, name);
    await admin.create(Deployments, "default", deployment("web:v1"));
    const complete = (replicas: number, revision: string): Promise<Deployment> =>
      eventually(async () => {
        const now = await admin.get<Deployment>(Deployments, "default", "web");
        const { updatedReplicas, availableReplicas, observedGeneration, replicas: all } = now.status ?? {};
        return (
          updatedReplicas === replicas &&
          availableReplicas === replicas &&
          all === replicas &&
          observedGeneration === now.metadata?.generation &&
          now.metadata?.annotations?.["deployment.kubernetes.io/revision"] === revision &&
          now
        );
      });
    const first = await complete(4, "1");
    assert.deepEqual(
      first.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`).sort(),
      ["Available True MinimumReplicasAvailable", "Progressing True NewReplicaSetAvailable"],
    );
    const images = async (): Promise<(string | undefined)[]> => {
      const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
      const alive = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
      return [...new Set(alive.map(({ spec }) => spec?.containers[0]?.image))];
    };
    const template = (image: string): object => ({
      spec: { template: { spec: { containers: [{ name: "c", image }] } } },
    });
    await admin.patch(Deployments, "default", "web", "strategic", template("web:v2"));
    await complete(4, "2");
    assert.deepEqual(await images(), ["web:v2"]);
    await admin.patch(Deployments, "default", "web", "strategic", template("web:v1"));
    await complete(4, "3");
    assert.deepEqual(await images(), ["web:v1"]);
    const sets = (await admin.list<ReplicaSet>(ReplicaSets, { namespace: "default" })).items;
    assert.equal(sets.length, 2, "the undone template's ReplicaSet is used again");
    await admin.patch(Deployments, "default", "web", "merge", { spec: { replicas: 7 } });
    await complete(7, "3");
    await admin.patch(Deployments, "default", "web", "merge", { spec: { replicas: 1 } });
    await complete(1, "3");
    const events = await eventually(async () => {
      const { items } = await admin.list<Event>(Events, { namespace: "default" });
      const own = items.filter(({ reason }) => reason === "ScalingReplicaSet");
      return own.length >= 3 && own;
    });
    assert.match(events[0]?.message ?? "", /^Scaled up replica set web-\w+ from 0 to 4$/);
    assert.equal(events[0]?.source?.component, "deployment-controller");
    await admin.delete(Deployments, "default", "web", { propagationPolicy: "Background" });
    await eventually(async () => {
      const pods = await admin.list<Pod>(Pods, { namespace: "default" });
      const left = await admin.list<ReplicaSet>(ReplicaSets, { namespace: "default" });
      return pods.items.length + left.items.length === 0;
    });
  } finally {
    await stopKubelets();
    await plane.stop();
  }
});
