// Hollow nodes with the real control plane: real kubelets over a simulated runtime bring pods up, end them, restart them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { createClient } from "#client/client.ts";
import { Deployments, Jobs, Nodes, Pods } from "#client/refs.ts";
import { startCluster } from "#compose/index.ts";
import { startHollowNodes, type HollowNodes } from "#kubelet/hollow/hollow-nodes.ts";
import { noLoad, type SimulatedLoad } from "#kubelet/hollow/simulated-runtime.ts";
import type { Deployment } from "#machinery/gen/types/apps-v1.ts";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import { eventually, startControlPlane, type ControlPlane } from "./control-plane.ts";

async function withHollowNodes(
  count: number,
  load: Partial<SimulatedLoad>,
  use: (plane: ControlPlane, nodes: HollowNodes) => Promise<void>,
): Promise<void> {
  const plane = await startControlPlane();
  const deps = { clock: realClock, random: seededRandom(3), log: silentLogger };
  const transport = plane.server.direct({
    name: "hollow",
    groups: ["system:masters", "system:authenticated"],
  });
  const informers = createInformerFactory(createClient(transport), deps, { freeze: true });
  const nodes = startHollowNodes(
    {
      count,
      prefix: "hollow",
      from: 0,
      size: { cpus: 4, memoryBytes: 8 * 1024 ** 3 },
      load: { ...noLoad, ...load },
      zones: 3,
      allEvents: true,
      version: "v1.36.0",
    },
    { ...deps, informers, transportFor: () => transport },
  );
  try {
    void informers.start();
    await nodes.ready;
    await use(plane, nodes);
  } finally {
    await nodes.stop();
    await informers.stop();
    await plane.stop();
  }
}

const deployment = (replicas: number): Deployment => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          { name: "c", image: "web:v1", readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } },
        ],
      },
    },
  },
});

test("they register, say what they are, and bring a Deployment up, over and down", () =>
  withHollowNodes(12, {}, async ({ admin }) => {
    const nodes = (await admin.list<Node>(Nodes)).items;
    assert.equal(nodes.length, 12);
    for (const { metadata, status } of nodes) {
      assert.equal(metadata?.labels?.["leme.dev/hollow"], "true");
      assert.equal(status?.nodeInfo?.containerRuntimeVersion, "hollow://1.36.0");
      assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, "True");
    }
    await admin.create(Deployments, "default", deployment(60));
    const available = (replicas: number, updated: number): Promise<unknown> =>
      eventually(async () => {
        const { status } = await admin.get<Deployment>(Deployments, "default", "web");
        return (
          (status?.availableReplicas ?? 0) === replicas &&
          (status?.updatedReplicas ?? 0) === updated &&
          (status?.replicas ?? 0) === replicas
        );
      });
    await available(60, 60);
    const pods = (await admin.list<Pod>(Pods, { namespace: "default" })).items;
    const [first] = pods;
    assert.match(first?.status?.containerStatuses?.[0]?.containerID ?? "", /^hollow:\/\/\w+$/);
    assert.match(first?.status?.podIP ?? "", /^100\.64\./);
    const zones = Map.groupBy(pods, ({ spec }) => Number(spec?.nodeName?.split("-")[1]) % 3);
    assert.deepEqual(
      [...zones.values()].map((list) => list.length),
      [20, 20, 20],
      "spread over zones",
    );
    await admin.patch(Deployments, "default", "web", "strategic", {
      spec: { template: { spec: { containers: [{ name: "c", image: "web:v2" }] } } },
    });
    await available(60, 60);
    await admin.patch(Deployments, "default", "web", "merge", { spec: { replicas: 0 } });
    await available(0, 0);
    await eventually(async () => (await admin.list<Pod>(Pods, { namespace: "default" })).items.length === 0);
  }));

test("pods of Jobs end; containers that fail are started again", () =>
  withHollowNodes(2, { startDelayMs: 20 }, async ({ admin }) => {
    const template = (exitCode: string): NonNullable<Job["spec"]>["template"] => ({
      metadata: {
        annotations: { "hollow.leme.dev/run-seconds": "0.05", "hollow.leme.dev/exit-code": exitCode },
      },
      spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:v1" }] },
    });
    for (const [name, exitCode] of [
      ["good", "0"],
      ["bad", "3"],
    ] as const)
      await admin.create(Jobs, "default", {
        metadata: { name, namespace: "default" },
        spec: { template: template(exitCode), completions: 3, parallelism: 3, backoffLimit: 0 },
      } satisfies Job);
    const condition = (name: string, type: string): Promise<unknown> =>
      eventually(async () => {
        const { status } = await admin.get<Job>(Jobs, "default", name);
        return status?.conditions?.some((one) => one.type === type && one.status === "True");
      });
    await condition("good", "Complete");
    await condition("bad", "Failed");
    const failed = (await admin.list<Pod>(Pods, { namespace: "default", labelSelector: "job-name=bad" }))
      .items;
    assert.ok(failed.some(({ status }) => status?.containerStatuses?.[0]?.state?.terminated?.exitCode === 3));
  }));

test("a node that is as it was tells it by its Lease, and its status is written when it is due", async (t) => {
  const cluster = await startCluster({ virtualTime: true, hollowNodes: 1 });
  t.after(() => cluster.stop());
  await cluster.advance("1m");
  const version = async (): Promise<string | undefined> =>
    (await cluster.client.get<Node>(Nodes, "", "hollow-0")).metadata?.resourceVersion;
  const before = await version();
  await cluster.advance("2m");
  assert.equal(await version(), before);
  await cluster.advance("5m");
  assert.notEqual(await version(), before);
});

test("nothing is sent to where a hollow node says it is", async (t) => {
  const cluster = await startCluster({ virtualTime: true, hollowNodes: 1 });
  t.after(() => cluster.stop());
  await cluster.client.create<Pod>(Pods, "default", {
    metadata: { name: "web" },
    spec: { containers: [{ name: "c", image: "web:v1", ports: [{ containerPort: 80 }] }] },
  });
  await cluster.advance("10s");
  for (const path of [
    "/api/v1/namespaces/default/pods/web/log",
    "/api/v1/namespaces/default/pods/web/proxy/",
    "/api/v1/nodes/hollow-0/proxy/healthz",
  ])
    await assert.rejects(cluster.client.json("GET", path), {
      message: 'node "hollow-0" is hollow: it runs nothing that could answer',
    });
});
