// Scheduling and preemption with a whole control plane: classes of priority, ReplicaSets, ports, finalizers. Nodes are
// written through the API and kubelets are played.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Events, Nodes, Pods, PriorityClasses, ReplicaSets } from "#client/refs.ts";
import { startCluster, type Client } from "#compose/index.ts";
import type { ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Event, Pod, PodSpec } from "#machinery/gen/types/core-v1.ts";
import type { PriorityClass } from "#machinery/gen/types/scheduling-v1.ts";
import { addNode, eventually, playKubelets } from "./control-plane.ts";

const resource = "example.com/seats";
/** A cluster of nodes with 10 seats each. */
async function withNodes(nodes: readonly string[], use: (admin: Client) => Promise<void>): Promise<void> {
  const cluster = await startCluster();
  const { client } = cluster;
  const stopKubelets = playKubelets(client);
  try {
    for (const name of nodes) {
      await addNode(client, name);
      const status = { capacity: { [resource]: "10" }, allocatable: { [resource]: "10" } };
      await client.patch(Nodes, "", name, "merge", { status }, "status");
    }
    await use(client);
  } finally {
    await stopKubelets();
    await cluster.stop();
  }
}

const seats = (count: number): PodSpec["containers"] => {
  const amount = { [resource]: String(count) };
  return [{ name: "c", image: "i", resources: { requests: amount, limits: amount } }];
};
const run = (
  admin: Client,
  name: string,
  spec: Partial<PodSpec>,
  { namespace = "default", finalizers = [] }: { namespace?: string; finalizers?: string[] } = {},
): Promise<Pod> =>
  admin.create<Pod>(Pods, namespace, {
    metadata: { name, namespace, finalizers },
    spec: { containers: [{ name: "c", image: "i" }], terminationGracePeriodSeconds: 0, ...spec },
  });
const placeOf = (admin: Client, name: string, namespace = "default"): Promise<string> =>
  eventually(async () => (await admin.get<Pod>(Pods, namespace, name)).spec?.nodeName);
const whyNot = (admin: Client, name: string): Promise<string> =>
  eventually(
    async () =>
      (await admin.get<Pod>(Pods, "default", name)).status?.conditions?.find(
        ({ type, reason }) => type === "PodScheduled" && reason === "Unschedulable",
      )?.message,
  );
const podsNow = async (admin: Client, namespace = "default"): Promise<readonly Pod[]> =>
  (await admin.list<Pod>(Pods, { namespace })).items as readonly Pod[];
const addClass = (admin: Client, name: string, value: number): Promise<unknown> =>
  admin.create<PriorityClass>(PriorityClasses, "", { metadata: { name }, value });

test("a pod goes to the node that its node selector means", () =>
  withNodes(["a", "b", "c"], async (admin) => {
    const labels = { "example.com/here": "42" };
    await admin.patch(Nodes, "", "b", "merge", { metadata: { labels } });
    for (const name of ["p1", "p2", "p3"]) {
      await run(admin, name, { nodeSelector: labels });
      assert.equal(await placeOf(admin, name), "b");
    }
    await run(admin, "nowhere", { nodeSelector: { "example.com/here": "43" } });
    assert.match(await whyNot(admin, "nowhere"), /3 node\(s\) didn't match Pod's node affinity\/selector/);
  }));

test("a port on all addresses of a host leaves none of them to another pod, but other ports and protocols", () =>
  withNodes(["a"], async (admin) => {
    const port = (hostIP: string | undefined, hostPort: number, protocol = "TCP"): Partial<PodSpec> => ({
      containers: [
        {
          name: "c",
          image: "i",
          ports: [{ containerPort: 80, hostPort, protocol, ...(hostIP === undefined ? {} : { hostIP }) }],
        },
      ],
    });
    await run(admin, "everywhere", port(undefined, 54322));
    assert.equal(await placeOf(admin, "everywhere"), "a");
    await run(admin, "on-one", port("127.0.0.1", 54322));
    assert.match(
      await whyNot(admin, "on-one"),
      /^0\/1 nodes are available: 1 node\(s\) didn't have free ports for the requested pod ports\. /,
    );
    await run(admin, "another-port", port("127.0.0.1", 54323));
    await run(admin, "another-protocol", port("127.0.0.1", 54322, "UDP"));
    await run(admin, "another-address", port("127.0.0.2", 54323));
    for (const name of ["another-port", "another-protocol", "another-address"])
      assert.equal(await placeOf(admin, name), "a");
    // The other way round: somebody on one address, and then all of them are wanted.
    await run(admin, "everything", port("0.0.0.0", 54323));
    assert.match(await whyNot(admin, "everything"), /didn't have free ports/);
    await admin.delete(Pods, "default", "everywhere", {});
    assert.equal(await placeOf(admin, "on-one"), "a");
  }));

test("ReplicaSets of four priorities: the two least important make room, and come back to wait", () =>
  withNodes(["a"], async (admin) => {
    const replicaSet = async (priority: number, count: number): Promise<void> => {
      await addClass(admin, `p${priority}`, priority);
      const labels = { name: `pod${priority}` };
      await admin.create<ReplicaSet>(ReplicaSets, "default", {
        metadata: { name: `rs-pod${priority}`, namespace: "default" },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: seats(count),
              priorityClassName: `p${priority}`,
              terminationGracePeriodSeconds: 0,
            },
          },
        },
      });
    };
    const ready = (priority: number): Promise<unknown> =>
      eventually(async () => {
        const { status } = await admin.get<ReplicaSet>(ReplicaSets, "default", `rs-pod${priority}`);
        return status?.readyReplicas === 1;
      });
    const uids = async (): Promise<Map<string, string>> =>
      new Map(
        (await podsNow(admin)).map(({ metadata }) => [metadata?.labels?.["name"] ?? "", metadata?.uid ?? ""]),
      );
    await replicaSet(1, 2);
    await ready(1);
    await replicaSet(2, 3);
    await ready(2);
    await replicaSet(3, 4);
    await ready(3);
    const before = await uids();
    // Five seats: one is free, and those of p1 or of p2 alone are too few.
    await replicaSet(4, 5);
    await ready(4);
    await eventually(async () => {
      const pods = await podsNow(admin);
      const waiting = pods
        .filter(({ spec }) => spec?.nodeName === undefined)
        .map(({ metadata }) => metadata?.labels?.["name"]);
      return waiting.sort().join() === "pod1,pod2" && pods.length === 4;
    });
    const after = await uids();
    assert.notEqual(after.get("pod1"), before.get("pod1"));
    assert.notEqual(after.get("pod2"), before.get("pod2"));
    assert.equal(after.get("pod3"), before.get("pod3"), "more important than was needed");
    const preempted = await eventually(async () => {
      const { items } = await admin.list<Event>(Events, { namespace: "default" });
      const found = items.filter(({ reason }) => reason === "Preempted");
      return found.length === 2 && found;
    });
    const gone = preempted.map(({ involvedObject }) => involvedObject.uid).sort();
    assert.deepEqual(gone, [before.get("pod1"), before.get("pod2")].sort());
  }));

for (const critical of ["system-cluster-critical", "system-node-critical"])
  test(`a pod of ${critical} takes the place of the least important`, () =>
    withNodes(["a", "b", "c"], async (admin) => {
      await addClass(admin, "low", 1);
      await addClass(admin, "medium", 100);
      const on = (node: string, priorityClassName: string): Partial<PodSpec> => ({
        containers: seats(6),
        nodeSelector: { "kubernetes.io/hostname": node },
        priorityClassName,
      });
      for (const [node, name] of [
        ["a", "medium"],
        ["b", "low"],
        ["c", "medium"],
      ] as const) {
        await run(admin, `on-${node}`, on(node, name));
        assert.equal(await placeOf(admin, `on-${node}`), node);
      }
      const spec = { containers: seats(6), priorityClassName: critical };
      const { spec: made } = await run(admin, "critical", spec, { namespace: "kube-system" });
      assert.equal(made?.priority, critical === "system-node-critical" ? 2_000_001_000 : 2_000_000_000);
      assert.equal(await placeOf(admin, "critical", "kube-system"), "b");
      const left = (await podsNow(admin)).map(({ metadata }) => metadata?.name).sort();
      assert.deepEqual(left, ["on-a", "on-c"]);
    }));

test("a preempted pod that a finalizer keeps tells so in its condition, and its place is free when it is gone", () =>
  withNodes(["a"], async (admin) => {
    await addClass(admin, "high", 1000);
    const finalizers = ["example.com/test-finalizer"];
    await run(admin, "victim", { containers: seats(10) }, { finalizers });
    assert.equal(await placeOf(admin, "victim"), "a");
    await run(admin, "urgent", { containers: seats(10), priorityClassName: "high" });
    const victim = await eventually(async () => {
      const pod = await admin.get<Pod>(Pods, "default", "victim");
      return pod.metadata?.deletionTimestamp !== undefined && pod;
    });
    const condition = victim.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    const { status, reason, message } = condition ?? {};
    assert.deepEqual(
      { status, reason, message },
      {
        status: "True",
        reason: "PreemptionByScheduler",
        message: "default-scheduler: preempting to accommodate a higher priority pod",
      },
    );
    const urgent = await eventually(async () => {
      const pod = await admin.get<Pod>(Pods, "default", "urgent");
      return pod.status?.nominatedNodeName === "a" && pod;
    });
    assert.equal(urgent.spec?.nodeName, undefined, "it waits while the victim is there");
    await admin.patch(Pods, "default", "victim", "merge", { metadata: { finalizers: null } });
    assert.equal(await placeOf(admin, "urgent"), "a");
    assert.deepEqual(
      (await podsNow(admin)).map(({ metadata }) => metadata?.name),
      ["urgent"],
    );
  }));
