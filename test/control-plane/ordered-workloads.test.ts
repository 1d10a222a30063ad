// StatefulSets and DaemonSets with the real control plane: brought up, updated, undone, scaled, deleted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ControllerRevisions, DaemonSets, PersistentVolumeClaims, Pods, StatefulSets } from "#client/refs.ts";
import type { ControllerRevision, DaemonSet, StatefulSet } from "#machinery/gen/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "#machinery/gen/types/core-v1.ts";
import { addNode, eventually, playKubelets, startControlPlane, type ControlPlane } from "./control-plane.ts";

const nodes = ["n1", "n2", "n3"];

async function withCluster(use: (plane: ControlPlane) => Promise<void>): Promise<void> {
  const plane = await startControlPlane();
  const stopKubelets = playKubelets(plane.admin);
  try {
    for (const name of nodes) await addNode(plane.admin, name);
    await use(plane);
  } finally {
    await stopKubelets();
    await plane.stop();
  }
}

const template = (image: string): NonNullable<StatefulSet["spec"]>["template"] => ({
  metadata: { labels: { app: "db" } },
  spec: { containers: [{ name: "c", image }] },
});

test("a StatefulSet: names, claims, an update from the last to the first, undone, scaled, deleted", () =>
  withCluster(async ({ admin }) => {
    await admin.create(StatefulSets, "default", {
      metadata: { name: "db", namespace: "default" },
      spec: {
        replicas: 3,
        serviceName: "db",
        selector: { matchLabels: { app: "db" } },
        template: template("db:v1"),
        volumeClaimTemplates: [
          {
            metadata: { name: "data" },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
          },
        ],
      },
    } satisfies StatefulSet);
    const settled = (replicas: number): Promise<StatefulSet> =>
      eventually(async () => {
        const now = await admin.get<StatefulSet>(StatefulSets, "default", "db");
        const { status } = now;
        return (
          status?.observedGeneration === now.metadata?.generation &&
          status?.replicas === replicas &&
          (status.readyReplicas ?? 0) === replicas &&
          (status.updatedReplicas ?? 0) === replicas &&
          status.currentRevision === status.updateRevision &&
          now
        );
      });
    const first = await settled(3);
    const images = async (): Promise<string[]> => {
      const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
      return items.map(({ metadata, spec }) => `${metadata?.name} ${spec?.containers[0]?.image}`).sort();
    };
    assert.deepEqual(await images(), ["db-0 db:v1", "db-1 db:v1", "db-2 db:v1"]);
    const update = (image: string): Promise<unknown> =>
      admin.patch(StatefulSets, "default", "db", "strategic", {
        spec: { template: { spec: { containers: [{ name: "c", image }] } } },
      });
    await update("db:v2");
    const second = await settled(3);
    assert.deepEqual(await images(), ["db-0 db:v2", "db-1 db:v2", "db-2 db:v2"]);
    assert.notEqual(second.status?.updateRevision, first.status?.updateRevision);
    await update("db:v1");
    const undone = await settled(3);
    assert.equal(undone.status?.updateRevision, first.status?.updateRevision);
    const revisions = (await admin.list<ControllerRevision>(ControllerRevisions, { namespace: "default" }))
      .items;
    assert.deepEqual(revisions.map(({ revision }) => revision).sort(), [2, 3]);
    await admin.patch(StatefulSets, "default", "db", "merge", { spec: { replicas: 1 } });
    await settled(1);
    assert.deepEqual(await images(), ["db-0 db:v1"]);
    const claims = (await admin.list<PersistentVolumeClaim>(PersistentVolumeClaims, { namespace: "default" }))
      .items;
    assert.deepEqual(claims.map(({ metadata }) => metadata?.name).sort(), [
      "data-db-0",
      "data-db-1",
      "data-db-2",
    ]);
    await admin.delete(StatefulSets, "default", "db", { propagationPolicy: "Foreground" });
    await eventually(async () => {
      const pods = await admin.list<Pod>(Pods, { namespace: "default" });
      const left = await admin.list<ControllerRevision>(ControllerRevisions, { namespace: "default" });
      return pods.items.length + left.items.length === 0;
    });
  }));

test("a DaemonSet: a pod on each node, also on one that comes, an update, and undone", () =>
  withCluster(async ({ admin }) => {
    await admin.create(DaemonSets, "default", {
      metadata: { name: "agent", namespace: "default" },
      spec: { selector: { matchLabels: { app: "db" } }, template: template("agent:v1") },
    } satisfies DaemonSet);
    const settled = (count: number): Promise<DaemonSet> =>
      eventually(async () => {
        const now = await admin.get<DaemonSet>(DaemonSets, "default", "agent");
        const { status } = now;
        return (
          status?.observedGeneration === now.metadata?.generation &&
          status?.desiredNumberScheduled === count &&
          status.updatedNumberScheduled === count &&
          status.numberAvailable === count &&
          now
        );
      });
    await settled(3);
    await addNode(admin, "n4");
    await settled(4);
    const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
    assert.deepEqual(items.map(({ spec }) => spec?.nodeName).sort(), [...nodes, "n4"]);
    for (const image of ["agent:v2", "agent:v1"]) {
      await admin.patch(DaemonSets, "default", "agent", "strategic", {
        spec: { template: { spec: { containers: [{ name: "c", image }] } } },
      });
      await settled(4);
    }
    const revisions = (await admin.list<ControllerRevision>(ControllerRevisions, { namespace: "default" }))
      .items;
    assert.deepEqual(revisions.map(({ revision }) => revision).sort(), [2, 3]);
  }));
