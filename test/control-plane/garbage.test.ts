import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Deployments, Nodes, Pods, ReplicaSets, ReplicationControllers } from "#client/refs.ts";
import type { Deployment, ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Pod, ReplicationController } from "#machinery/gen/types/core-v1.ts";
import type { DeleteOptions } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

const rc = (name: string): ReplicationController => ({
  metadata: { name, namespace: "default" },
  spec: {
    replicas: 2,
    selector: { app: name },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i" }] } },
  },
});

test("what an owner leaves behind: background, foreground, orphan", async () => {
  const plane = await startControlPlane();
  const { admin } = plane;
  const stopKubelets = playKubelets(admin);
  const podsOf = async (app: string): Promise<Pod[]> =>
    (await admin.list<Pod>(Pods, { namespace: "default", labelSelector: `app=${app}` })).items;
  try {
    await addNode(admin, "n1");
    const policies = ["Background", "Foreground", "Orphan"] as const;
    for (const policy of policies) {
      const app = policy.toLowerCase();
      await admin.create(ReplicationControllers, "default", rc(app));
      await eventually(async () => (await podsOf(app)).length === 2);
      const options: DeleteOptions = { propagationPolicy: policy };
      await admin.delete(ReplicationControllers, "default", app, options);
      await eventually(async () => {
        const { items } = await admin.list(ReplicationControllers, { namespace: "default" });
        return items.length === 0;
      });
      if (policy === "Orphan") {
        const orphans = await podsOf(app);
        assert.equal(orphans.length, 2);
        assert.ok(orphans.every((pod) => (pod.metadata?.ownerReferences ?? []).length === 0));
      } else {
        if (policy === "Foreground") assert.deepEqual(await podsOf(app), [], "before its owner");
        await eventually(async () => (await podsOf(app)).length === 0);
      }
    }
    await admin.create(ReplicationControllers, "default", rc("orphan"));
    const adopted = await eventually(async () => {
      const pods = await podsOf("orphan");
      return pods.every((pod) => pod.metadata?.ownerReferences?.length === 1) && pods;
    });
    assert.equal(adopted.length, 2, "adopted, not created anew");
  } finally {
    await stopKubelets();
    await plane.stop();
  }
});

test("an owner that never was: its dependents go; one of several owners: only the reference goes", async () => {
  const plane = await startControlPlane({ scheduler: false });
  const { admin } = plane;
  const owner = (name: string, uid: string): object => ({ apiVersion: "v1", kind: "ConfigMap", name, uid });
  try {
    const real: KubeObject = await admin.create<KubeObject>(ConfigMaps, "default", {
      metadata: { name: "real", namespace: "default" },
    });
    const uid = real.metadata?.uid ?? "";
    const make = (name: string, ...ownerReferences: object[]): Promise<unknown> =>
      admin.create(ConfigMaps, "default", {
        metadata: { name, namespace: "default", ownerReferences },
      } as object);
    await make("lost", owner("none", "u-none"));
    await make("impostor", owner("real", "u-other"));
    await make("half", owner("real", uid), owner("none", "u-none"));
    await eventually(async () => {
      const { items } = await admin.list(ConfigMaps, { namespace: "default" });
      const half = items.find(({ metadata }) => metadata?.name === "half");
      const names = items.map(({ metadata }) => metadata?.name).filter((name) => name !== "kube-root-ca.crt");
      return names.sort().join() === "half,real" && half?.metadata?.ownerReferences?.length === 1;
    });
  } finally {
    await plane.stop();
  }
});

test("pods of a node that is gone are removed", async () => {
  const plane = await startControlPlane({ podGcPeriodMs: 10, podGcQuarantineMs: 30 });
  const { admin } = plane;
  try {
    await addNode(admin, "n1");
    await admin.create(Pods, "default", {
      metadata: { name: "p", namespace: "default" },
      spec: { containers: [{ name: "c", image: "i" }] },
    } as Pod);
    await eventually(async () => (await admin.get<Pod>(Pods, "default", "p")).spec?.nodeName !== undefined);
    await admin.delete(Nodes, "", "n1");
    await eventually(async () => (await admin.list(Pods, { namespace: "default" })).items.length === 0);
  } finally {
    await plane.stop();
  }
});

test("owners in a circle go like any others", async () => {
  const plane = await startControlPlane({ scheduler: false });
  const { admin } = plane;
  const names = ["a", "b", "c"];
  try {
    const uids = new Map<string, string>();
    for (const name of names) {
      const made = await admin.create<KubeObject>(ConfigMaps, "default", {
        metadata: { name },
      } as KubeObject);
      uids.set(name, made.metadata?.uid ?? "");
    }
    for (const [at, name] of names.entries()) {
      const owner = names[(at + 1) % names.length] ?? "";
      const reference = {
        apiVersion: "v1",
        kind: "ConfigMap",
        name: owner,
        uid: uids.get(owner),
        controller: true,
        blockOwnerDeletion: true,
      };
      await admin.patch(ConfigMaps, "default", name, "merge", { metadata: { ownerReferences: [reference] } });
    }
    await admin.delete(ConfigMaps, "default", "a", { propagationPolicy: "Foreground" });
    await eventually(async () => {
      const { items } = await admin.list(ConfigMaps, { namespace: "default" });
      return items.every(({ metadata }) => !names.includes(metadata?.name ?? ""));
    });
  } finally {
    await plane.stop();
  }
});

test("a Deployment deleted with Orphan leaves its ReplicaSet and pods, owned by nobody and by it", async () => {
  const plane = await startControlPlane({ scheduler: false });
  const { admin } = plane;
  const labels = { app: "web" };
  const spec = { containers: [{ name: "c", image: "i" }] };
  try {
    await admin.create<Deployment>(Deployments, "default", {
      metadata: { name: "web", namespace: "default" },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    const sets = async (): Promise<ReplicaSet[]> =>
      (await admin.list<ReplicaSet>(ReplicaSets, { namespace: "default" })).items;
    await eventually(async () => (await sets())[0]?.status?.replicas === 2);
    await admin.delete(Deployments, "default", "web", { propagationPolicy: "Orphan" });
    await eventually(
      async () => (await admin.list(Deployments, { namespace: "default" })).items.length === 0,
    );
    const [left, ...others] = await sets();
    assert.deepEqual([left?.metadata?.ownerReferences, others.length], [undefined, 0]);
    const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
    assert.deepEqual(
      items.map(({ metadata }) => metadata?.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`)),
      Array.from({ length: 2 }, () => [`ReplicaSet/${left?.metadata?.name}`]),
    );
  } finally {
    await plane.stop();
  }
});
