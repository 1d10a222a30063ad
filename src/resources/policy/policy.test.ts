// PodDisruptionBudget: what is refused and why, what a new one starts with, its row.

import assert from "node:assert/strict";
import { test } from "node:test";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { podDisruptionBudget } from "./pod-disruption-budget.ts";

const budget = {
  metadata: { name: "b", namespace: "default" },
  spec: { minAvailable: 2, selector: { matchLabels: { app: "a" } } },
};
const percentage =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

const cases: readonly (readonly [name: string, path: string, value: unknown, ...errors: string[]])[] = [
  ["a part of all", "spec.minAvailable", "50%"],
  ["no selector", "spec.selector", undefined],
  ["a selector of everything", "spec.selector", {}],
  ["neither limit", "spec.minAvailable", undefined],
  ["evictions of what is broken anyway", "spec.unhealthyPodEvictionPolicy", "AlwaysAllow"],
  [
    "both limits",
    "spec.maxUnavailable",
    1,
    'spec: Invalid value: {"MinAvailable":2,"Selector":{"matchLabels":{"app":"a"}},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
  ],
  [
    "fewer than none",
    "spec.minAvailable",
    -1,
    "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "more than all",
    "spec.minAvailable",
    "101%",
    'spec.minAvailable: Invalid value: "101%": must not be greater than 100%',
  ],
  ["no part", "spec.minAvailable", "half", `spec.minAvailable: Invalid value: "half": ${percentage}`],
  [
    "a selector that is none",
    "spec.selector",
    { matchExpressions: [{ key: "a", operator: "Is" }] },
    'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
  ],
  [
    "an unknown policy",
    "spec.unhealthyPodEvictionPolicy",
    "Never",
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ],
];

for (const [name, path, value, ...errors] of cases)
  test(`PodDisruptionBudget: ${name}`, () => {
    const object = withField(budget, path, value);
    assert.deepEqual(refused(podDisruptionBudget, object), errors);
    assert.deepEqual(refusedChange(podDisruptionBudget, budget, object), errors);
  });

test("a new budget allows nothing; its row", () => {
  const object = made(podDisruptionBudget, { ...budget, status: { disruptionsAllowed: 7 } });
  assert.equal(object.status?.disruptionsAllowed, 0);
  assert.deepEqual(row(podDisruptionBudget, object), ["b", "2", "N/A", 0, "60m"]);
  const other = made(podDisruptionBudget, { ...budget, spec: { maxUnavailable: "20%" } });
  assert.deepEqual(row(podDisruptionBudget, other).slice(1, 3), ["N/A", "20%"]);
});

test("its status counts from zero", () => {
  const next = { ...made(podDisruptionBudget, budget), status: { disruptionsAllowed: -1, expectedPods: 2 } };
  assert.deepEqual(
    podDisruptionBudget.status?.validateUpdate?.(next, next).map(({ field }) => field),
    ["status.disruptionsAllowed"],
  );
});
