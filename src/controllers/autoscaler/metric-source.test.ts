// Where metrics are asked for, what is made of the answers, and what is said when there are none. Whoever measures is
// played by a table of answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, type Client } from "#client/client.ts";
import type { MetricSpec } from "#machinery/gen/types/autoscaling-v2.ts";
import { readMetric, type Reading } from "./metric-source.ts";

/** Answers by path and query; anything else is not found. */
function answering(answers: Readonly<Record<string, unknown>>): { client: Client; asked: string[] } {
  const asked: string[] = [];
  const client = createClient({
    request: ({ path, query }) => {
      const url = query === "" ? path : `${path}?${decodeURIComponent(query.replaceAll("+", " "))}`;
      asked.push(url);
      const found = answers[url];
      const body =
        found ??
        ({
          kind: "Status",
          apiVersion: "v1",
          status: "Failure",
          reason: "NotFound",
          code: 404,
          message: "",
        } as object);
      return Promise.resolve({
        status: found === undefined ? 404 : 200,
        headers: { "content-type": "application/json" },
        body: { kind: "bytes", chunks: [Buffer.from(JSON.stringify(body))] },
      });
    },
    close: () => Promise.resolve(),
  });
  return { client, asked };
}

const target = {
  namespace: "shop",
  selector: "app=web",
  resourceOf: ({ kind }: { kind: string }) => Promise.resolve(`${kind.toLowerCase()}es.networking.k8s.io`),
};
const group = { preferredVersion: { groupVersion: "custom.metrics.k8s.io/v1beta2" } };
const custom = (path: string, items: readonly object[]) => ({
  "/apis/custom.metrics.k8s.io": group,
  [`/apis/custom.metrics.k8s.io/v1beta2/namespaces/${path}`]: { items },
});
const podMetrics = (usage: object, ...more: object[]) => ({
  metadata: { name: "a", namespace: "shop" },
  timestamp: "2026-06-01T12:00:00Z",
  window: "30s",
  containers: [{ name: "c", usage }, ...more],
});
const pods = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app=web";
const cpu: MetricSpec = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } };
const ofContainer: MetricSpec = {
  type: "ContainerResource",
  containerResource: { name: "cpu", container: "d", target: { type: "Utilization" } },
};
const ofPods: MetricSpec = {
  type: "Pods",
  pods: {
    metric: { name: "hits", selector: { matchLabels: { verb: "GET" } } },
    target: { type: "AverageValue" },
  },
};
const ofObject = (kind: string): MetricSpec => ({
  type: "Object",
  object: { metric: { name: "hits" }, describedObject: { kind, name: "front" }, target: { type: "Value" } },
});
const external: MetricSpec = {
  type: "External",
  external: { metric: { name: "queue", selector: { matchLabels: { q: "a" } } }, target: { type: "Value" } },
};
const measured = (milli: number, windowMs: number): Reading => ({
  kind: "pods",
  measured: new Map([["a", { milli, atMs: Date.parse("2026-06-01T12:00:00Z"), windowMs }]]),
});
const hit = { describedObject: { name: "a" }, timestamp: "2026-06-01T12:00:00Z", value: "2500m" };

const cases: readonly (readonly [
  name: string,
  spec: MetricSpec,
  answers: Record<string, unknown>,
  reading: Reading,
])[] = [
  [
    "of a resource all containers count",
    cpu,
    { [pods]: { items: [podMetrics({ cpu: "100m" }, { name: "d", usage: { cpu: "50m" } })] } },
    measured(150, 30_000),
  ],
  [
    "of one container only that",
    ofContainer,
    { [pods]: { items: [podMetrics({ cpu: "100m" }, { name: "d", usage: { cpu: "50m" } })] } },
    measured(50, 30_000),
  ],
  [
    "a container that nobody measures",
    ofContainer,
    { [pods]: { items: [podMetrics({ cpu: "100m" })] } },
    { kind: "failed", error: "container d not present in metrics for pod shop/a" },
  ],
  [
    "nobody measures anything",
    cpu,
    { [pods]: { items: [] } },
    {
      kind: "failed",
      error: "unable to get metrics for resource cpu: no metrics returned from resource metrics API",
    },
  ],
  [
    "of pods, with labels of the metric",
    ofPods,
    custom("shop/pods/*/hits?labelSelector=app=web&metricLabelSelector=verb=GET", [hit]),
    measured(2500, 60_000),
  ],
  [
    "of an object",
    ofObject("Ingress"),
    custom("shop/ingresses.networking.k8s.io/front/hits", [hit]),
    { kind: "values", milli: [2500] },
  ],
  [
    "of a namespace itself",
    ofObject("Namespace"),
    custom("front/metrics/hits", [hit]),
    { kind: "values", milli: [2500] },
  ],
  [
    "of something outside, in several parts",
    external,
    {
      "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue?labelSelector=q=a": {
        items: [{ value: "3" }, { value: "500m" }],
      },
    },
    { kind: "values", milli: [3000, 500] },
  ],
  [
    "nobody serves what is outside",
    external,
    {},
    {
      kind: "failed",
      error:
        "unable to get external metric shop/queue/&LabelSelector{MatchLabels:map[string]string{q: a,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)",
    },
  ],
];
for (const [name, spec, answers, reading] of cases)
  test(`metrics: ${name}`, async () => {
    const { client, asked } = answering(answers);
    assert.deepEqual(await readMetric(client, spec, target), reading, asked.join("\n"));
  });
