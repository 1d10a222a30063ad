// The kinds of flowcontrol.apiserver.k8s.io, each as a table, and what every cluster starts with.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowSchema, PriorityLevelConfiguration, Subject } from "#machinery/gen/types/flowcontrol-v1.ts";
import { kindTable, tableChecker, type Change } from "../kind-table.ts";
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from "./fixed.ts";
import { flowSchema } from "./flow-schema.ts";
import { priorityLevelConfiguration } from "./priority-level-configuration.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const metadata = { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" };
const rule = { verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["default"] };
const ann: Subject = { kind: "User", user: { name: "ann" } };
const schema = kindTable<FlowSchema>(flowSchema, {
  metadata,
  spec: {
    priorityLevelConfiguration: { name: "a" },
    rules: [{ subjects: [ann], resourceRules: [rule] }],
  },
});
const at = "spec.rules[0]";
const subjects =
  (...all: Subject[]): Change<FlowSchema> =>
  ({ spec }) =>
    (spec!.rules = [{ subjects: all, resourceRules: [rule] }]);
const rules =
  (resource: object | undefined, ...urls: string[]): Change<FlowSchema> =>
  ({ spec }) =>
    (spec!.rules = [
      {
        subjects: [ann],
        ...(resource === undefined ? {} : { resourceRules: [{ ...rule, ...resource }] }),
        ...(urls.length === 0 ? {} : { nonResourceRules: [{ verbs: ["get"], nonResourceURLs: urls }] }),
      },
    ]);

checkTable("FlowSchema", schema, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "reserved and impossible precedences",
      ({ spec }) => (spec!.matchingPrecedence = 1),
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
    [
      "a precedence too high, and no level",
      ({ spec }) =>
        Object.assign(spec!, { matchingPrecedence: 10_001, priorityLevelConfiguration: { name: "" } }),
      "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
      "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
    ],
    [
      "subjects",
      subjects(
        { kind: "Robot" },
        { kind: "User" },
        { ...ann, group: { name: "a" } },
        { kind: "ServiceAccount", serviceAccount: { namespace: "", name: "*" } },
      ),
      `${at}.subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"`,
      `${at}.subjects[1].user: Required value: user is required when subject kind is 'User'`,
      `${at}.subjects[2].group: Forbidden: group is forbidden when subject kind is not 'Group'`,
      `${at}.subjects[3].serviceAccount.namespace: Required value: must specify namespace for service account`,
    ],
    ["nobody", subjects(), `${at}.subjects: Required value: subjects must contain at least one value`],
    [
      "nothing",
      rules(undefined),
      `${at}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`,
    ],
    [
      "an empty rule",
      rules({ verbs: [], apiGroups: [], resources: [], namespaces: [] }),
      `${at}.resourceRules[0].verbs: Required value: verbs must contain at least one value`,
      `${at}.resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group`,
      `${at}.resourceRules[0].resources: Required value: resource rules must supply at least one resource`,
      `${at}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
    ],
    [
      "everything and more",
      rules({ verbs: ["*", "get"], resources: ["*", "a"], namespaces: ["*", "a"] }),
      `${at}.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
      `${at}.resourceRules[0].resources: Invalid value: ["*","a"]: if '*' is present, must not specify other resources`,
      `${at}.resourceRules[0].namespaces: Invalid value: ["*","a"]: if '*' is present, must not specify other namespaces`,
    ],
    ["paths", rules(undefined, "/", "/a", "/a/*")],
    [
      "bad paths",
      rules(undefined, "", "a", "/a b", "//", "/*/a"),
      `${at}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "": must not be empty`,
      `${at}.nonResourceRules[0].nonResourceURLs[1]: Invalid value: "a": must start with slash`,
      `${at}.nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a b": must not contain white-space`,
      `${at}.nonResourceRules[0].nonResourceURLs[3]: Invalid value: "//": must not contain double slash`,
      `${at}.nonResourceRules[0].nonResourceURLs[4]: Invalid value: "/*/a": wildcard can only do suffix matching`,
    ],
  ],
});
test("FlowSchema: defaults and row", () => {
  assert.equal(schema.created().spec?.matchingPrecedence, 1000);
  assert.deepEqual(schema.row(), ["x", "a", "1000", "<none>", "24h", "?"]);
});

const level = kindTable<PriorityLevelConfiguration>(priorityLevelConfiguration, {
  metadata,
  spec: { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } },
});
const queuing =
  (given: object): Change<PriorityLevelConfiguration> =>
  ({ spec }) =>
    Object.assign(spec?.limited?.limitResponse?.queuing ?? {}, given);
const queue = "spec.limited.limitResponse.queuing";
checkTable("PriorityLevelConfiguration", level, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "another type",
      (object) => (object.spec = { type: "Some" }),
      'spec.type: Unsupported value: "Some": supported values: "Exempt", "Limited"',
    ],
    [
      "exempt",
      ({ spec }) => (spec!.type = "Exempt"),
      "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if `name` is 'exempt'",
      "spec.limited: Forbidden: must be nil if the type is not Limited",
    ],
    [
      "no limits",
      (object) => (object.spec = { type: "Limited", exempt: {} }),
      "spec.exempt: Forbidden: must be nil if the type is Limited",
      "spec.limited: Required value: must not be empty when type is Limited",
    ],
    [
      "shares",
      ({ spec }) =>
        Object.assign(spec!.limited!, {
          nominalConcurrencyShares: -1,
          lendablePercent: 101,
          borrowingLimitPercent: -1,
        }),
      "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
      "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
      "spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
    ],
    [
      "a rejection with queues",
      ({ spec }) => (spec!.limited!.limitResponse = { type: "Reject", queuing: {} }),
      `${queue}: Forbidden: must be nil if limited.limitResponse.type is not Limited`,
    ],
    [
      "queues that are none",
      queuing({ queues: -1, handSize: -1, queueLengthLimit: -1 }),
      `${queue}.queueLengthLimit: Invalid value: -1: must be positive`,
      `${queue}.queues: Invalid value: -1: must be positive`,
      `${queue}.handSize: Invalid value: -1: must be positive`,
    ],
    [
      "a hand too large",
      queuing({ queues: 4, handSize: 5 }),
      `${queue}.handSize: Invalid value: 5: should not be greater than queues (4)`,
    ],
    [
      "a hand that tells too much",
      queuing({ queues: 1024, handSize: 8 }),
      `${queue}.handSize: Invalid value: 8: required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60`,
    ],
  ],
});
test("PriorityLevelConfiguration: defaults and row", () => {
  assert.deepEqual(level.created().spec, {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
      limitResponse: { type: "Queue", queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
    },
  });
  assert.deepEqual(level.row(), ["x", "Limited", "30", "64", "8", "50", "24h"]);
});

test("what every cluster starts with is valid, and refers to what is there", () => {
  const levels = { ...mandatoryLevels, ...suggestedLevels };
  const schemas = { ...mandatorySchemas, ...suggestedSchemas };
  for (const [name, spec] of Object.entries(levels))
    assert.deepEqual(priorityLevelConfiguration.validate({ metadata: { name }, spec }), [], name);
  for (const [name, spec] of Object.entries(schemas)) {
    assert.deepEqual(flowSchema.validate({ metadata: { name }, spec }), [], name);
    assert.ok(Object.hasOwn(levels, spec.priorityLevelConfiguration.name), name);
  }
});

test("what is mandatory stays as it is, but for how much the exempt level counts", () => {
  const told = (name: string, spec: object) =>
    priorityLevelConfiguration
      .validate({ metadata: { name }, spec: spec as never })
      .map(({ detail }) => detail);
  assert.deepEqual(told("exempt", { type: "Exempt", exempt: { nominalConcurrencyShares: 5 } }), []);
  assert.deepEqual(told("catch-all", { type: "Limited", limited: { limitResponse: { type: "Reject" } } }), [
    "spec of 'catch-all' must equal the fixed value",
  ]);
  const [error] = flowSchema.validate({
    metadata: { name: "exempt" },
    spec: { ...(mandatorySchemas["exempt"] as object), rules: [] } as never,
  });
  assert.equal(error?.detail, "spec of 'exempt' must equal the fixed value");
});
