// PriorityClass: what is refused and why, which names are the system's, what never changes, its row.

import assert from "node:assert/strict";
import { test } from "node:test";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { priorityClass, systemPriorityClasses } from "./priority-class.ts";

const important = { metadata: { name: "important" }, value: 1000 };
const reserved = "priority class names with 'system-' prefix are reserved for system use only. error: ";
const [nodeCritical] = systemPriorityClasses;

const cases: readonly (readonly [name: string, given: unknown, ...errors: string[]])[] = [
  ["one of a user", important],
  ["below zero", withField(important, "value", -5)],
  ["the highest of users", withField(important, "value", 1_000_000_000)],
  [
    "above the highest of users",
    withField(important, "value", 1_000_000_001),
    "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
  ],
  ["one of the system", nodeCritical],
  [
    "one of the system with another number",
    { ...nodeCritical, value: 1 },
    `metadata.name: Forbidden: ${reserved}value of system-node-critical PriorityClass must be 2000001000`,
  ],
  [
    "one of the system for all pods",
    { ...nodeCritical, globalDefault: true },
    `metadata.name: Forbidden: ${reserved}globalDefault of system-node-critical PriorityClass must be false`,
  ],
  [
    "one that claims to be of the system",
    { metadata: { name: "system-mine" }, value: 1 },
    `metadata.name: Forbidden: ${reserved}system-mine is not a known system priority class`,
  ],
  ["one that waits", withField(important, "preemptionPolicy", "Never")],
  [
    "an unknown policy",
    withField(important, "preemptionPolicy", "Always"),
    'preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
  ],
];
for (const [name, given, ...errors] of cases)
  test(`PriorityClass: ${name}`, () => assert.deepEqual(refused(priorityClass, given), errors));

test("numbers and policies stay as they are; the rest changes", () => {
  assert.deepEqual(refusedChange(priorityClass, important, withField(important, "value", 5)), [
    "value: Forbidden: may not be changed in an update.",
  ]);
  assert.deepEqual(
    refusedChange(priorityClass, important, withField(important, "preemptionPolicy", "Never")),
    ['preemptionPolicy: Invalid value: "Never": field is immutable'],
  );
  const described = { ...important, description: "first", globalDefault: true };
  assert.deepEqual(refusedChange(priorityClass, important, described), []);
});

test("defaults, and the row", () => {
  const object = made(priorityClass, important);
  assert.equal(object.preemptionPolicy, "PreemptLowerPriority");
  assert.equal(object.metadata?.generation, 1);
  assert.deepEqual(row(priorityClass, object), ["important", 1000, false, "60m", "PreemptLowerPriority"]);
  assert.equal(made(priorityClass, { metadata: { name: "zero" } }).value, 0);
});
