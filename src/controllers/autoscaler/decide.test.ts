// One pass of an autoscaler: what it reads from pods and metrics, what it decides, and what it says about that.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscalerSpec, MetricSpec } from "#machinery/gen/types/autoscaling-v2.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { noMemory } from "./behavior.ts";
import { decide, type Decision, type Pass } from "./decide.ts";
import type { Reading } from "./metric-source.ts";

const nowMs = Date.parse("2026-06-01T12:00:00Z");
const long = "2026-06-01T10:00:00Z";

const pod = (name: string, status: object = {}, cpu: string | undefined = "100m"): Pod => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "c", image: "i", resources: cpu === "" ? {} : { requests: { cpu } } }] },
  status: {
    phase: "Running",
    startTime: long,
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: long }],
    ...status,
  },
});
const three = [pod("a"), pod("b"), pod("c")];
const used = (...milli: number[]): Reading => ({
  kind: "pods",
  measured: new Map(
    milli.map((one, at) => ["abc".charAt(at), { milli: one, atMs: nowMs - 20_000, windowMs: 30_000 }]),
  ),
});
const cpu: MetricSpec = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
};
const queue: MetricSpec = {
  type: "External",
  external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "10" } },
};
const failed: Reading = { kind: "failed", error: "nobody there" };

function pass(
  readings: Reading[],
  spec: Partial<HorizontalPodAutoscalerSpec> = {},
  more: Partial<Pass> = {},
): Decision {
  return decide({
    autoscaler: {
      metadata: { name: "web", namespace: "default" },
      spec: {
        scaleTargetRef: { kind: "ReplicationController", name: "web" },
        minReplicas: 1,
        maxReplicas: 10,
        metrics: [cpu],
        ...spec,
      },
    },
    currentReplicas: 3,
    statusReplicas: 3,
    pods: three,
    readings,
    memory: { ...noMemory, recommendations: [{ replicas: 0, atMs: nowMs - 1000 }] },
    settings: {
      downscaleStabilizationMs: 300_000,
      tolerance: 0.1,
      cpuInitializationPeriodMs: 300_000,
      initialReadinessDelayMs: 30_000,
    },
    nowMs,
    ...more,
  });
}
const conditions = ({ status }: Decision): string[] =>
  (status.conditions ?? []).map(({ type, status: is, reason }) => `${type}=${is} ${reason}`);
const good = ["AbleToScale=True ReadyForNewScale", "ScalingActive=True ValidMetricFound"];

const cases: readonly (readonly [
  name: string,
  decision: Decision,
  replicas: number | undefined,
  ...conditions: string[],
])[] = [
  ["above the target", pass([used(100, 100, 100)]), 6, ...good, "ScalingLimited=False DesiredWithinRange"],
  [
    "far above: by what is allowed at a time",
    pass([used(500, 500, 500)]),
    6,
    ...good,
    "ScalingLimited=True ScaleUpLimit",
  ],
  ["below the target", pass([used(10, 10, 10)]), 1, ...good, "ScalingLimited=False DesiredWithinRange"],
  [
    "near the target",
    pass([used(52, 53, 54)]),
    undefined,
    ...good,
    "ScalingLimited=False DesiredWithinRange",
  ],
  [
    "a tolerance of its own",
    pass([used(52, 53, 54)], {
      behavior: { scaleUp: { tolerance: "0.01", policies: [{ type: "Pods", value: 4, periodSeconds: 60 }] } },
    }),
    4,
    ...good,
    "ScalingLimited=False DesiredWithinRange",
  ],
  [
    "the metric that asks for most is followed",
    pass([used(10, 10, 10), { kind: "values", milli: [20_000, 30_000] }], { metrics: [cpu, queue] }),
    5,
    ...good,
    "ScalingLimited=False DesiredWithinRange",
  ],
  [
    "what cannot be read does not hinder a growth",
    pass([used(100, 100, 100), failed], { metrics: [cpu, queue] }),
    6,
    ...good,
    "ScalingLimited=False DesiredWithinRange",
  ],
  [
    "what cannot be read hinders a reduction",
    pass([used(10, 10, 10), failed], { metrics: [cpu, queue] }),
    undefined,
    "AbleToScale=True SucceededGetScale",
    "ScalingActive=False FailedGetExternalMetric",
  ],
  [
    "too many replicas need no metrics",
    pass([], {}, { currentReplicas: 12 }),
    10,
    "AbleToScale=True SucceededGetScale",
  ],
  ["too few replicas need no metrics", pass([], { minReplicas: 5 }), 5, "AbleToScale=True SucceededGetScale"],
  [
    "a target that is switched off",
    pass([], {}, { currentReplicas: 0 }),
    undefined,
    "AbleToScale=True SucceededGetScale",
    "ScalingActive=False ScalingDisabled",
  ],
  [
    "from zero, where that is a number like any other",
    pass(
      [{ kind: "values", milli: [25_000] }],
      { minReplicas: 0, metrics: [queue] },
      { currentReplicas: 0, statusReplicas: 0 },
    ),
    3,
    ...good,
    "ScalingLimited=False DesiredWithinRange",
  ],
  [
    "pods that have not asked for the resource",
    pass([used(100, 100, 100)], {}, { pods: [...three.slice(0, 2), pod("c", {}, "")] }),
    undefined,
    "AbleToScale=True SucceededGetScale",
    "ScalingActive=False FailedGetResourceMetric",
  ],
  [
    "pods that have just started are not measured by their start",
    pass(
      [used(100, 100, 900)],
      {},
      {
        pods: [
          ...three.slice(0, 2),
          pod("c", {
            startTime: "2026-06-01T11:59:30Z",
            conditions: [{ type: "Ready", status: "False", lastTransitionTime: "2026-06-01T11:59:30Z" }],
          }),
        ],
      },
    ),
    4,
    ...good,
    "ScalingLimited=False DesiredWithinRange",
  ],
];

for (const [name, decision, replicas, ...wanted] of cases)
  test(`one pass: ${name}`, () => {
    assert.equal(decision.scale?.replicas, replicas);
    assert.deepEqual(conditions(decision), wanted);
  });

test("what cannot be read is told once for itself, and once for all", () => {
  const { events, status } = pass([failed, failed], { metrics: [cpu, queue] });
  assert.deepEqual(
    events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`),
    [
      "Warning FailedGetResourceMetric: failed to get cpu utilization: nobody there",
      "Warning FailedGetExternalMetric: failed to get queue external metric: nobody there",
      "Warning FailedComputeMetricsReplicas: invalid metrics (2 invalid out of 2), first error is: failed to get cpu resource metric value: failed to get cpu utilization: nobody there",
    ],
  );
  assert.equal(
    status.conditions?.find(({ type }) => type === "ScalingActive")?.message,
    "the HPA was unable to compute the replica count: failed to get cpu utilization: nobody there",
  );
});

test("the status shows what was measured", () => {
  const { status } = pass([used(100, 90, 80), { kind: "values", milli: [20_000] }], {
    metrics: [cpu, queue],
  });
  assert.deepEqual(status.currentMetrics, [
    { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 90, averageValue: "90m" } } },
    { type: "External", external: { metric: { name: "queue" }, current: { averageValue: "6667m" } } },
  ]);
  assert.equal(status.currentReplicas, 3);
  assert.equal(status.desiredReplicas, 6);
});
