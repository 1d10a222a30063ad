// LimitRanges: what they fill in, and what they refuse, in tables.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LimitRange, LimitRangeItem, Pod } from "#machinery/gen/types/core-v1.ts";
import { applyLimitDefaults, claimLimitErrors, podLimitErrors } from "./limits.ts";

const range = (...limits: LimitRangeItem[]): LimitRange => ({ metadata: { name: "r" }, spec: { limits } });
const pod = (...resources: object[]): Pod => ({
  metadata: { name: "p" },
  spec: { containers: resources.map((one, at) => ({ name: `c${at}`, image: "i", resources: one })) },
});
const requests = (cpu: string) => ({ requests: { cpu } });
const both = (request: string, limit: string) => ({ requests: { cpu: request }, limits: { cpu: limit } });

test("containers that do not say get the defaults, and the pod says so", () => {
  const draft = pod({}, requests("50m"));
  draft.spec?.containers.push({ name: "full", image: "i", resources: both("1", "1") });
  if (draft.spec) draft.spec.initContainers = [{ name: "i", image: "i" }];
  applyLimitDefaults(
    draft,
    range(
      { type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "100m" } },
      { type: "Pod", max: { cpu: "9" } },
    ),
  );
  assert.deepEqual(
    draft.spec?.containers.map((one) => one.resources),
    [both("100m", "500m"), both("50m", "500m"), both("1", "1")],
  );
  assert.equal(
    draft.metadata?.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu request for container c0; cpu limit for container c0; cpu limit for container c1; " +
      "cpu request for init container i; cpu limit for init container i",
  );
  const full = pod(both("1", "1"));
  applyLimitDefaults(full, range({ type: "Container", default: { cpu: "500m" } }));
  assert.equal(full.metadata?.annotations, undefined);
});

const containers = (item: Partial<LimitRangeItem>) => range({ type: "Container", ...item });
const pods = (item: Partial<LimitRangeItem>) => range({ type: "Pod", ...item });
const cases: readonly (readonly [range: LimitRange, pod: Pod, ...errors: string[]])[] = [
  [containers({ min: { cpu: "100m" } }), pod(requests("100m"))],
  [
    containers({ min: { cpu: "100m" } }),
    pod(requests("50m")),
    "minimum cpu usage per Container is 100m, but request is 50m",
  ],
  [
    containers({ min: { cpu: "100m" } }),
    pod({}),
    "minimum cpu usage per Container is 100m.  No request is specified",
  ],
  [
    containers({ max: { memory: "1Gi" } }),
    pod({ limits: { memory: "2Gi" } }),
    "maximum memory usage per Container is 1Gi, but limit is 2Gi",
  ],
  [
    containers({ max: { cpu: "1" } }),
    pod(requests("2")),
    "maximum cpu usage per Container is 1.  No limit is specified",
  ],
  [containers({ max: { cpu: "1" } }), pod(both("500m", "1"))],
  [
    containers({ maxLimitRequestRatio: { cpu: "2" } }),
    pod(both("250m", "1")),
    "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
  ],
  [containers({ maxLimitRequestRatio: { cpu: "4" } }), pod(both("250m", "1"))],
  [
    containers({ maxLimitRequestRatio: { cpu: "2" } }),
    pod({}),
    "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
  ],
  [
    containers({ maxLimitRequestRatio: { cpu: "2" } }),
    pod(requests("1")),
    "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
  ],
  [
    containers({ min: { cpu: "100m" }, max: { cpu: "1" } }),
    pod(both("50m", "2")),
    "minimum cpu usage per Container is 100m, but request is 50m",
    "maximum cpu usage per Container is 1, but limit is 2",
  ],
  [pods({ max: { cpu: "2" } }), pod(both("1", "1"), both("1", "1"))],
  [
    pods({ max: { cpu: "2" } }),
    pod(both("1", "1"), both("1", "1500m")),
    "maximum cpu usage per Pod is 2, but limit is 2500m",
  ],
  [
    pods({ min: { cpu: "1" } }),
    pod(requests("200m"), requests("300m")),
    "minimum cpu usage per Pod is 1, but request is 500m",
  ],
  [range({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } }), pod({})],
];
for (const [given, made, ...errors] of cases)
  test(`limits ${JSON.stringify(given.spec?.limits[0])} of ${JSON.stringify(made.spec?.containers.map((one) => one.resources))}`, () => {
    assert.deepEqual(podLimitErrors(made, given), errors);
  });

test("claims ask for neither too little nor too much", () => {
  const claims = range({ type: "PersistentVolumeClaim", min: { storage: "2Gi" }, max: { storage: "10Gi" } });
  const of = (storage: string): string[] =>
    claimLimitErrors({ spec: { resources: { requests: { storage } } } }, claims);
  assert.deepEqual(of("5Gi"), []);
  assert.deepEqual(of("1Gi"), ["minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi"]);
  assert.deepEqual(of("20Gi"), [
    "maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi",
  ]);
});
