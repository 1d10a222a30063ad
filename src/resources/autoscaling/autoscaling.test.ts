// HorizontalPodAutoscaler: what is refused and why, defaults, rows, and its two versions.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscaler } from "#machinery/gen/types/autoscaling-v2.ts";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { autoscalerFromV1, autoscalerToV1 } from "./autoscaler-conversion.ts";
import { horizontalPodAutoscalerV1 } from "./horizontal-pod-autoscaler-v1.ts";
import { horizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const cpu = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
};
const autoscaler = {
  metadata: { name: "h" },
  spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 5, metrics: [cpu] },
};
const external = (target: object) => ({ type: "External", external: { metric: { name: "queue" }, target } });
const object = (target: object) => ({
  type: "Object",
  object: { describedObject: { kind: "Service", name: "s" }, metric: { name: "hits" }, target },
});
const pods = (target: object) => ({ type: "Pods", pods: { metric: { name: "hits" }, target } });
const oneMetric = (metric: object) => withField(autoscaler, "spec.metrics", [metric]);
const average = { type: "AverageValue", averageValue: "10" };
const rules = { policies: [{ type: "Pods", value: 1, periodSeconds: 60 }] };
const scaleUp = (more: object) => withField(autoscaler, "spec.behavior", { scaleUp: { ...rules, ...more } });
const path = "spec.metrics[0]";
const up = "spec.behavior.scaleUp";

const cases: readonly (readonly [name: string, given: unknown, ...errors: string[]])[] = [
  ["by the CPU", autoscaler],
  ["by a metric of an object", oneMetric(object({ type: "Value", value: "10" }))],
  ["by a metric of its pods", oneMetric(pods(average))],
  ["by a metric from elsewhere", oneMetric(external(average))],
  [
    "a replication controller, which is of no group",
    withField(autoscaler, "spec.scaleTargetRef", { kind: "ReplicationController", name: "r" }),
  ],
  [
    "down to none",
    withField(autoscaler, "spec.minReplicas", 0),
    "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
  ],
  [
    "never any",
    withField(autoscaler, "spec.maxReplicas", 0),
    "spec.maxReplicas: Invalid value: 0: must be greater than 0",
    "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
  ],
  [
    "what is of no group",
    withField(autoscaler, "spec.scaleTargetRef.apiVersion", "v1"),
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ],
  [
    "what has no version",
    withField(autoscaler, "spec.scaleTargetRef.apiVersion", "a/b/c"),
    'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ],
  [
    "what has no name",
    withField(autoscaler, "spec.scaleTargetRef", { apiVersion: "apps/v1", kind: "a/b" }),
    `spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain '/'`,
    "spec.scaleTargetRef.name: Required value",
  ],
  [
    "a metric of no type",
    oneMetric({ resource: cpu.resource }),
    `${path}.type: Required value: must specify a metric source type`,
  ],
  [
    "a metric of an unknown type",
    oneMetric({ ...cpu, type: "Weather" }),
    `${path}.type: Unsupported value: "Weather": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
  ],
  [
    "a metric of another type",
    oneMetric({ ...cpu, type: "Pods" }),
    `${path}.pods: Required value: must populate information for the given metric source`,
  ],
  [
    "two metrics in one",
    oneMetric({ ...cpu, ...pods(average), type: "Resource" }),
    `${path}.pods: Forbidden: must populate the given metric source only`,
  ],
  [
    "a resource without a target",
    oneMetric({ type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } }),
    `${path}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
  ],
  [
    "a resource with two targets",
    oneMetric({
      type: "Resource",
      resource: { name: "cpu", target: { ...average, averageUtilization: 0 } },
    }),
    `${path}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
    `${path}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
  ],
  [
    "a resource of no container",
    oneMetric({ type: "ContainerResource", containerResource: { target: average } }),
    `${path}.containerResource.name: Required value: must specify a resource name`,
    `${path}.containerResource.container: Required value: must specify a container`,
  ],
  [
    "a target of an unknown type",
    oneMetric(external({ type: "Much", value: "-1" })),
    `${path}.external.target.type: Invalid value: "Much": must be either Utilization, Value, or AverageValue`,
    `${path}.external.target.value: Invalid value: "-1": must be positive`,
  ],
  [
    "no target of what is elsewhere",
    oneMetric(external({ type: "Value" })),
    `${path}.external.target.averageValue: Required value: must set either a target value for metric or a per-pod target`,
  ],
  [
    "two targets of what is elsewhere",
    oneMetric(external({ ...average, value: "1" })),
    `${path}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`,
  ],
  [
    "no average of pods",
    oneMetric(pods({ type: "Value", value: "1" })),
    `${path}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
  ],
  [
    "no target of an object",
    oneMetric(object({ type: "Value" })),
    `${path}.object.target.averageValue: Required value: must set either a target value or averageValue`,
  ],
  ["slowly", scaleUp({ stabilizationWindowSeconds: 3600, selectPolicy: "Min", tolerance: "50m" })],
  [
    "too slowly",
    scaleUp({ stabilizationWindowSeconds: 3601 }),
    `${up}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600`,
  ],
  [
    "before it is time",
    scaleUp({ stabilizationWindowSeconds: -1 }),
    `${up}.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero`,
  ],
  [
    "by chance",
    scaleUp({ selectPolicy: "Any" }),
    `${up}.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"`,
  ],
  [
    "by a policy that is none",
    scaleUp({ policies: [{ type: "Nodes", value: 0, periodSeconds: 1801 }] }),
    `${up}.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"`,
    `${up}.policies[0].value: Invalid value: 0: must be greater than zero`,
    `${up}.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800`,
  ],
];
for (const [name, given, ...errors] of cases)
  test(`HorizontalPodAutoscaler: ${name}`, () =>
    assert.deepEqual(refused(horizontalPodAutoscaler, given), errors));

test("what was stored before groups were required may stay", () => {
  const old = withField(autoscaler, "spec.scaleTargetRef.apiVersion", undefined);
  assert.equal(refused(horizontalPodAutoscaler, old).length, 1);
  assert.deepEqual(refusedChange(horizontalPodAutoscaler, old, withField(old, "spec.maxReplicas", 9)), []);
});

test("defaults", () => {
  const { spec, status } = made(horizontalPodAutoscaler, {
    metadata: { name: "h" },
    spec: { scaleTargetRef, maxReplicas: 3, behavior: { scaleDown: { selectPolicy: "Disabled" } } },
  });
  assert.equal(spec?.minReplicas, 1);
  assert.deepEqual(spec?.metrics, [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
  ]);
  assert.deepEqual(spec?.behavior, {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Pods", value: 4, periodSeconds: 15 },
        { type: "Percent", value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: { selectPolicy: "Disabled", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] },
  });
  assert.deepEqual(status, { currentMetrics: [], desiredReplicas: 0 });
});

test("rows tell each metric as it is and as it should be", () => {
  const shown = (metrics: object[], status: object = {}): unknown =>
    row(horizontalPodAutoscaler, {
      ...made(horizontalPodAutoscaler, withField(autoscaler, "spec.metrics", metrics)),
      status: { desiredReplicas: 0, ...status },
    })[2];
  assert.equal(shown([cpu]), "cpu: <unknown>/50%");
  const busy = { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 12 } } };
  assert.equal(shown([cpu], { currentMetrics: [busy] }), "cpu: 12%/50%");
  assert.equal(shown([external(average), pods(average)]), "<unknown>/10 (avg), <unknown>/10");
  assert.equal(
    shown([cpu, object({ type: "Value", value: "7" }), cpu, cpu]),
    "cpu: <unknown>/50%, <unknown>/7 + 2 more...",
  );
  const whole = row(horizontalPodAutoscaler, made(horizontalPodAutoscaler, autoscaler));
  assert.deepEqual(whole, ["h", "Deployment/web", "cpu: <unknown>/50%", "2", 5, 0, "60m"]);
});

const everything: HorizontalPodAutoscaler = {
  metadata: { name: "h", annotations: { own: "kept" } },
  spec: {
    scaleTargetRef,
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [
      cpu,
      object({ type: "AverageValue", averageValue: "3" }),
      pods(average),
      external({ type: "Value", value: "7" }),
      {
        type: "ContainerResource",
        containerResource: {
          name: "memory",
          container: "c",
          target: { type: "Utilization", averageUtilization: 9 },
        },
      },
    ] as never,
    behavior: { scaleUp: { ...rules, selectPolicy: "Max" } },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [
      {
        type: "Resource",
        resource: { name: "cpu", current: { averageUtilization: 12, averageValue: "5m" } },
      },
    ],
    conditions: [{ type: "AbleToScale", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
  },
};

test("v1 shows the CPU in fields and carries the rest along; nothing is lost on the way", () => {
  const shown = autoscalerToV1(everything);
  assert.deepEqual(shown.spec, {
    scaleTargetRef,
    minReplicas: 2,
    maxReplicas: 5,
    targetCPUUtilizationPercentage: 50,
  });
  assert.deepEqual(shown.status, {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentCPUUtilizationPercentage: 12,
  });
  const annotations = shown.metadata?.annotations ?? {};
  assert.equal(
    annotations["autoscaling.alpha.kubernetes.io/behavior"],
    '{"ScaleUp":{"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}],"SelectPolicy":"Max"}}',
  );
  assert.deepEqual(
    Object.keys(annotations).map((name) => name.replace("autoscaling.alpha.kubernetes.io/", "")),
    ["own", "metrics", "current-metrics", "conditions", "behavior"],
  );
  assert.deepEqual(autoscalerFromV1(shown), everything);
});

test("annotations that carry something else are left alone; then it is the CPU", () => {
  for (const text of [
    "[",
    "5",
    "[1]",
    '[{"type":5}]',
    '[{"type":"Pods","pods":{"targetAverageValue":"much"}}]',
  ]) {
    const { spec, metadata } = autoscalerFromV1({
      metadata: { name: "h", annotations: { "autoscaling.alpha.kubernetes.io/metrics": text } },
      spec: { scaleTargetRef, maxReplicas: 5 },
    });
    assert.equal(spec?.metrics?.[0]?.resource?.target.averageUtilization, 80, text);
    assert.deepEqual(metadata, { name: "h" });
  }
});

test("v1 is judged, defaulted and shown as v2 is", () => {
  const old = { metadata: { name: "h" }, spec: { scaleTargetRef, maxReplicas: 3 } };
  const object = made(horizontalPodAutoscalerV1, old);
  assert.deepEqual(object.spec, {
    scaleTargetRef,
    minReplicas: 1,
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 80,
  });
  assert.deepEqual(object.status, { currentReplicas: 0, desiredReplicas: 0 });
  assert.deepEqual(row(horizontalPodAutoscalerV1, object), [
    "h",
    "Deployment/web",
    "cpu: <unknown>/80%",
    "1",
    3,
    0,
    "60m",
  ]);
  assert.deepEqual(
    refused(horizontalPodAutoscalerV1, withField(old, "spec.targetCPUUtilizationPercentage", -5)),
    ["spec.metrics[0].resource.target.averageUtilization: Invalid value: -5: must be greater than 0"],
  );
});
