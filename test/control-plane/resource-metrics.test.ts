// What is measured of hollow nodes, through metrics.k8s.io, and an autoscaler that follows it, in time that the test moves.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { HorizontalPodAutoscalers } from "#client/refs.ts";
import type { Deployment } from "#machinery/gen/types/apps-v1.ts";
import { Deployments, isApiError, startCluster, type Cluster } from "leme";

interface Metrics {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly window: string;
  readonly usage?: { readonly cpu: string; readonly memory: string };
  readonly containers?: readonly { readonly name: string; readonly usage: { readonly cpu: string } }[];
}

const path = "/apis/metrics.k8s.io/v1beta1";

async function clusterOf(t: TestContext): Promise<Cluster> {
  const cluster = await startCluster({ virtualTime: true, hollowNodes: 2 });
  t.after(() => cluster.stop());
  return cluster;
}

function deployment(name: string, replicas: number, cpuMilli: number): object {
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: { app: name },
          annotations: { "hollow.leme.dev/cpu-milli": String(cpuMilli) },
        },
        spec: {
          containers: [{ name: "c", image: "web:v1", resources: { requests: { cpu: "100m" } } }],
        },
      },
    },
  };
}

/** The answer comes with time: the second look is a second after the first. */
async function measured<T>(cluster: Cluster, ask: () => Promise<T>): Promise<T> {
  const answer = ask();
  answer.catch(() => undefined);
  await cluster.advance("2s");
  return answer;
}

test("nodes and pods are measured when somebody asks", async (t) => {
  const cluster = await clusterOf(t);
  const { client } = cluster;
  await client.create(Deployments, "default", deployment("web", 3, 70));
  await cluster.advance("1m");
  const list = (from: string): Promise<{ kind: string; items: Metrics[] }> =>
    measured(cluster, () => client.json("GET", `${path}/${from}`));
  const pods = await list("namespaces/default/pods?labelSelector=app%3Dweb");
  assert.equal(pods.kind, "PodMetricsList");
  assert.deepEqual(
    pods.items.map(({ metadata, window, containers }) => [metadata.labels?.["app"], window, containers]),
    Array.from({ length: 3 }, () => [
      "web",
      "1s",
      [{ name: "c", usage: { cpu: "70000000n", memory: "32768Ki" } }],
    ]),
  );
  assert.deepEqual((await list("pods?labelSelector=app%3Dother")).items, []);
  assert.deepEqual((await list("namespaces/kube-system/pods")).items, []);
  const nodes = await list("nodes");
  const sum = nodes.items.reduce((total, { usage }) => total + Number.parseInt(usage?.cpu ?? ""), 0);
  assert.deepEqual([nodes.kind, nodes.items.length, sum], ["NodeMetricsList", 2, 210_000_000]);
  const name = pods.items[0]?.metadata.name ?? "";
  const one = await measured(cluster, () =>
    client.json<Metrics>("GET", `${path}/namespaces/default/pods/${name}`),
  );
  assert.equal(one.metadata.name, name);
  await assert.rejects(
    client.json("GET", `${path}/namespaces/default/pods/none`),
    (error) =>
      isApiError(error, "NotFound") && error.message === 'podmetrics.metrics.k8s.io "default/none" not found',
  );
  // Later looks are further apart; after a rest it begins again.
  await cluster.advance("30s");
  assert.equal((await list("nodes")).items[0]?.window, "15s");
  await cluster.advance("10m");
  assert.equal((await list("nodes")).items[0]?.window, "1s");
});

test("an autoscaler follows what pods use, up and down", async (t) => {
  const cluster = await clusterOf(t);
  const { client } = cluster;
  await client.create(Deployments, "default", deployment("busy", 1, 90));
  await client.create(HorizontalPodAutoscalers, "default", {
    metadata: { name: "busy" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "busy" },
      minReplicas: 1,
      maxReplicas: 6,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    },
  } as object);
  const replicas = async (): Promise<unknown> =>
    (await client.get<Deployment>(Deployments, "default", "busy")).spec?.replicas;
  await cluster.advance("5m");
  assert.equal(await replicas(), 6, "90 of 100 thousandths each, however many there are");
  await client.patch(Deployments, "default", "busy", "merge", {
    spec: { template: { metadata: { annotations: { "hollow.leme.dev/cpu-milli": "5" } } } },
  });
  await cluster.advance("3m");
  assert.equal(await replicas(), 6, "not before five minutes of it");
  await cluster.advance("6m");
  assert.equal(await replicas(), 1);
});
