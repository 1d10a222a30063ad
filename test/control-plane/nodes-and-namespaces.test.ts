import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Leases, Namespaces, Nodes, Pods, Secrets, ServiceAccounts } from "#client/refs.ts";
import type { ConfigMap, Namespace, Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { ApiError } from "#machinery/status.ts";
import { ReplicationControllers } from "#client/refs.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

test("a namespace gets its service account and root CA; deleting it empties it, kind by kind", async () => {
  const plane = await startControlPlane({ rootCa: "PEM" });
  const { admin } = plane;
  const stopKubelets = playKubelets(admin);
  const absent = async (): Promise<boolean> => {
    try {
      await admin.get(Namespaces, "", "team");
      return false;
    } catch (thrown) {
      return thrown instanceof ApiError && thrown.code === 404;
    }
  };
  try {
    await addNode(admin, "n1");
    await admin.create(Namespaces, "", { metadata: { name: "team" } });
    await eventually(async () => {
      const { items } = await admin.list(ServiceAccounts, { namespace: "team" });
      return items.some(({ metadata }) => metadata?.name === "default");
    });
    const map = await eventually(async () => {
      const { items } = await admin.list<ConfigMap>(ConfigMaps, { namespace: "team" });
      return items.find(({ metadata }) => metadata?.name === "kube-root-ca.crt");
    });
    assert.deepEqual(map.data, { "ca.crt": "PEM" });
    await admin.create(Pods, "team", {
      metadata: { name: "p", namespace: "team" },
      spec: { containers: [{ name: "c", image: "i" }] },
    } as Pod);
    await admin.create(ConfigMaps, "team", {
      metadata: { name: "held", namespace: "team", finalizers: ["x.io/y"] },
    });
    await admin.create(Secrets, "team", { metadata: { name: "s", namespace: "team" } });
    await admin.delete(Namespaces, "", "team");
    const told = await eventually(async () => {
      const { status } = await admin.get<Namespace>(Namespaces, "", "team");
      const found = status?.conditions?.find(({ type }) => type === "NamespaceFinalizersRemaining");
      return found?.status === "True" && found;
    });
    assert.equal(
      told.message,
      "Some content in the namespace has finalizers remaining: x.io/y in 1 resource instances",
    );
    await admin.patch(ConfigMaps, "team", "held", "merge", { metadata: { finalizers: null } });
    await eventually(absent);
  } finally {
    await stopKubelets();
    await plane.stop();
  }
});

test("a node that goes silent becomes Unknown and tainted; its pods come back elsewhere", async () => {
  const plane = await startControlPlane({
    nodeMonitorPeriodMs: 20,
    nodeMonitorGracePeriodMs: 150,
  });
  const { admin } = plane;
  const dead = new Set<string>();
  const stopKubelets = playKubelets(admin, (node) => !dead.has(node));
  const names = ["n1", "n2", "n3"];
  let beat = 0;
  const renew = async (): Promise<void> => {
    beat++;
    for (const name of names) {
      if (dead.has(name)) continue;
      await admin.patch(Leases, "kube-node-lease", name, "merge", {
        spec: { renewTime: `2026-01-01T00:00:00.${String(beat).padStart(6, "0")}Z` },
      });
    }
  };
  for (const name of names) {
    await addNode(admin, name);
    await admin.create(Leases, "kube-node-lease", { metadata: { name, namespace: "kube-node-lease" } });
  }
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => (beating = beating.then(renew)), 20);
  try {
    await admin.create(ReplicationControllers, "default", {
      metadata: { name: "app", namespace: "default" },
      spec: {
        replicas: 6,
        selector: { app: "web" },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            containers: [{ name: "c", image: "i" }],
            tolerations: [
              {
                key: "node.kubernetes.io/unreachable",
                operator: "Exists",
                effect: "NoExecute",
                tolerationSeconds: 0,
              },
            ],
          },
        },
      },
    } as object);
    const ready = async (): Promise<Pod[] | false> => {
      const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
      const good = items.filter(
        (pod) =>
          pod.metadata?.deletionTimestamp === undefined &&
          pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true,
      );
      return good.length === 6 && good;
    };
    await eventually(ready);
    dead.add("n2");
    const node = await eventually(async () => {
      const now = await admin.get<Node>(Nodes, "", "n2");
      return now.spec?.taints?.some(({ effect }) => effect === "NoExecute") === true && now;
    });
    const condition = node.status?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message],
      ["Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."],
    );
    const pods = await eventually(async () => {
      const good = await ready();
      return good !== false && good.every((pod) => pod.spec?.nodeName !== "n2") && good;
    });
    assert.equal(pods.length, 6);
    const others = (await admin.list<Node>(Nodes)).items.filter(({ metadata }) => metadata?.name !== "n2");
    assert.ok(others.every((one) => (one.spec?.taints ?? []).length === 0));
  } finally {
    clearInterval(timer);
    await beating;
    await stopKubelets();
    await plane.stop();
  }
});
