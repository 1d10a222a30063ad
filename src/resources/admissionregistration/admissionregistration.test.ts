// The kinds of admissionregistration.k8s.io, each as a table.

import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import { kindTable, tableChecker, type Change } from "../kind-table.ts";
import { mutatingAdmissionPolicyBinding } from "./mutating-admission-policy-binding.ts";
import { mutatingAdmissionPolicyKind } from "./mutating-admission-policy.ts";
import { mutatingWebhookConfiguration } from "./mutating-webhook-configuration.ts";
import { validatingAdmissionPolicyBinding } from "./validating-admission-policy-binding.ts";
import { validatingAdmissionPolicyKind } from "./validating-admission-policy.ts";
import { validatingWebhookConfiguration } from "./validating-webhook-configuration.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const metadata = { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" };
const rule: RuleWithOperations = {
  operations: ["CREATE"],
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["pods"],
};
const hook: ValidatingWebhook = {
  name: "a.example.com",
  clientConfig: { service: { namespace: "default", name: "hook" } },
  rules: [rule],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};
const configuration = kindTable<ValidatingWebhookConfiguration>(validatingWebhookConfiguration, {
  metadata,
  webhooks: [hook],
});
const withHook =
  (given: object): Change<ValidatingWebhookConfiguration> =>
  (object) =>
    (object.webhooks = [{ ...hook, ...given }]);
const withRule = (given: object) => withHook({ rules: [{ ...rule, ...given }] });
const at = "webhooks[0]";
const ruleAt = `${at}.rules[0]`;
const clientAt = `${at}.clientConfig`;
const url = (text: string) => withHook({ clientConfig: { url: text } });
const service = (given: object) =>
  withHook({ clientConfig: { service: { namespace: "a", name: "b", ...given } } });
const qualified =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

checkTable("ValidatingWebhookConfiguration", configuration, {
  create: [
    ["nothing is wrong", () => undefined],
    ["no webhooks", (object) => delete object.webhooks],
    ["no name", withHook({ name: "" }), `${at}.name: Required value`],
    [
      "a short name",
      withHook({ name: "a.b" }),
      `${at}.name: Invalid value: "a.b": should be a domain with at least three segments separated by dots`,
    ],
    [
      "the same name twice",
      (object) => (object.webhooks = [hook, hook]),
      'webhooks[1].name: Duplicate value: "a.example.com"',
    ],
    [
      "an empty rule",
      withHook({ rules: [{}] }),
      `${ruleAt}.operations: Required value`,
      `${ruleAt}.apiGroups: Required value`,
      `${ruleAt}.apiVersions: Required value`,
      `${ruleAt}.resources: Required value`,
    ],
    [
      "everything and more",
      withRule({ operations: ["*", "CREATE"], apiGroups: ["*", "a"], apiVersions: ["*", ""] }),
      `${ruleAt}.operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations`,
      `${ruleAt}.apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
      `${ruleAt}.apiVersions: Invalid value: ["*",""]: if '*' is present, must not specify other API versions`,
      `${ruleAt}.apiVersions[1]: Required value`,
    ],
    [
      "another operation and scope",
      withRule({ operations: ["PATCH"], scope: "All" }),
      `${ruleAt}.operations[0]: Unsupported value: "PATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"`,
      `${ruleAt}.scope: Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"`,
    ],
    ["resources and their subresources", withRule({ resources: ["*", "pods/status", "a/*"] })],
    [
      "resources that are there already",
      withRule({ resources: ["a/*", "a/b", "*/c", "d/c", "", "*", "e"] }),
      `${ruleAt}.resources[1]: Invalid value: "a/b": if 'a/*' is present, must not specify a/b`,
      `${ruleAt}.resources[3]: Invalid value: "d/c": if '*/c' is present, must not specify d/c`,
      `${ruleAt}.resources[4]: Required value`,
      `${ruleAt}.resources: Invalid value: ["a/*","a/b","*/c","d/c","","*","e"]: if '*' is present, must not specify other resources without subresources`,
    ],
    [
      "all resources and one",
      withRule({ resources: ["*/*", "a"] }),
      `${ruleAt}.resources: Invalid value: ["*/*","a"]: if '*/*' is present, must not specify other resources`,
    ],
    [
      "other words",
      withHook({ failurePolicy: "Deny", matchPolicy: "Any", sideEffects: "Some", timeoutSeconds: 31 }),
      `${at}.failurePolicy: Unsupported value: "Deny": supported values: "Fail", "Ignore"`,
      `${at}.matchPolicy: Unsupported value: "Any": supported values: "Equivalent", "Exact"`,
      `${at}.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"`,
      `${at}.timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds`,
    ],
    [
      "what is needed is missing",
      withHook({ sideEffects: undefined, admissionReviewVersions: [], clientConfig: {} }),
      `${at}.sideEffects: Required value: must specify one of None, NoneOnDryRun`,
      `${clientAt}: Required value: exactly one of url or service is required`,
      `${at}.admissionReviewVersions: Required value: must specify one of v1, v1beta1`,
    ],
    [
      "versions that we do not speak",
      withHook({ admissionReviewVersions: ["v2", "v2"] }),
      `${at}.admissionReviewVersions[1]: Invalid value: "v2": duplicate version`,
      `${at}.admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1`,
    ],
    [
      "a URL that is not encrypted",
      url("http://u:p@a.b/c?d=e#f"),
      `${clientAt}.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      `${clientAt}.url: Invalid value: "u:p": user information is not permitted in the URL`,
      `${clientAt}.url: Invalid value: "f": fragments are not permitted in the URL`,
      `${clientAt}.url: Invalid value: "d=e": query parameters are not permitted in the URL`,
    ],
    [
      "a URL without a host",
      url(""),
      `${clientAt}.url: Invalid value: "": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      `${clientAt}.url: Invalid value: "": host must be specified; desired format: https://host[/path]`,
    ],
    [
      "no service",
      service({ name: "", namespace: "", port: 0 }),
      `${clientAt}.service.name: Required value: service name is required`,
      `${clientAt}.service.namespace: Required value: service namespace is required`,
      `${clientAt}.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive`,
    ],
    ["a path", service({ path: "/a/b/" })],
    [
      "a path with nothing in it",
      service({ path: "a/b" }),
      `${clientAt}.service.path: Invalid value: "a/b": must start with a '/'`,
      `${clientAt}.service.path: Invalid value: "a/b": segment[0] may not be empty`,
    ],
    [
      "conditions",
      withHook({
        matchConditions: [
          { name: "a", expression: "true" },
          { name: "a", expression: " " },
          { name: "-", expression: "true" },
        ],
      }),
      `${at}.matchConditions[1].expression: Required value`,
      `${at}.matchConditions[1].name: Duplicate value: "a"`,
      `${at}.matchConditions[2].name: Invalid value: "-": name part ${qualified}`,
    ],
  ],
});

const mutating = kindTable<MutatingWebhookConfiguration>(mutatingWebhookConfiguration, {
  metadata,
  webhooks: [structuredClone(hook)],
});
checkTable("MutatingWebhookConfiguration", mutating, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "another reinvocation",
      ({ webhooks }) => (webhooks![0]!.reinvocationPolicy = "Always"),
      `${at}.reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"`,
    ],
  ],
});
test("webhooks: defaults, generation and rows", () => {
  const [made] = mutating.created().webhooks ?? [];
  assert.deepEqual(made, {
    ...hook,
    clientConfig: { service: { namespace: "default", name: "hook", port: 443 } },
    rules: [{ ...rule, scope: "*" }],
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    reinvocationPolicy: "Never",
  });
  assert.equal(Object.hasOwn(configuration.created().webhooks?.[0] ?? {}, "reinvocationPolicy"), false);
  assert.equal(configuration.created().metadata?.generation, 1);
  assert.equal(configuration.updated(withHook({ timeoutSeconds: 5 })).metadata?.generation, 2);
  assert.equal(configuration.updated(({ metadata }) => (metadata!.labels = {})).metadata?.generation, 1);
  assert.deepEqual(configuration.row(), ["x", 1, "24h"]);
});

const matchConstraints = { resourceRules: [rule] };
const policy = kindTable<ValidatingAdmissionPolicy>(validatingAdmissionPolicyKind, {
  metadata,
  spec: { matchConstraints, validations: [{ expression: "true" }] },
});
const oneNeeded = "validations or auditAnnotations must contain at least one item";
checkTable("ValidatingAdmissionPolicy", policy, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "nothing at all",
      (object) => (object.spec = {}),
      "spec.matchConstraints: Required value",
      `spec.validations: Required value: ${oneNeeded}`,
      `spec.auditAnnotations: Required value: ${oneNeeded}`,
    ],
    [
      "no resources",
      ({ spec }) => (spec!.matchConstraints = {}),
      "spec.matchConstraints.resourceRules: Required value",
    ],
    [
      "a resource name twice",
      ({ spec }) =>
        (spec!.matchConstraints = { resourceRules: [{ ...rule, resourceNames: ["a", "a", "b/c"] }] }),
      'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
      `spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: "b/c": may not contain '/'`,
    ],
    [
      "half a parameter",
      ({ spec }) => (spec!.paramKind = { apiVersion: "a/b/c", kind: "" }),
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      "spec.paramKind.kind: Required value",
    ],
    [
      "validations",
      ({ spec }) =>
        (spec!.validations = [
          { expression: " " },
          { expression: "a\n== b" },
          { expression: "true", message: "a\nb", reason: "Other" },
          { expression: "true", message: " ", messageExpression: " " },
        ]),
      "spec.validations[0].expression: Required value: expression is not specified",
      "spec.validations[1].message: Required value: message must be specified if expression contains line breaks",
      'spec.validations[2].message: Invalid value: "a\\nb": message must not contain line breaks',
      'spec.validations[2].reason: Unsupported value: "Other": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
      'spec.validations[3].messageExpression: Invalid value: " ": must be non-empty if specified',
      'spec.validations[3].message: Invalid value: " ": message must be non-empty if specified',
    ],
    [
      "annotations",
      ({ spec }) =>
        (spec!.auditAnnotations = [
          { key: "a", valueExpression: "" },
          { key: "a", valueExpression: "'b'" },
        ]),
      "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified",
      'spec.auditAnnotations[1].key: Duplicate value: "a"',
    ],
    [
      "variables",
      ({ spec }) =>
        (spec!.variables = [
          { name: "", expression: "1" },
          { name: "a-b", expression: "" },
        ]),
      "spec.variables[0].name: Required value: name is not specified",
      'spec.variables[1].name: Invalid value: "a-b": name is not a valid CEL identifier',
      "spec.variables[1].expression: Required value: expression is not specified",
    ],
  ],
  status: [
    [
      "a warning about nothing",
      (object) => (object.status = { typeChecking: { expressionWarnings: [{ fieldRef: "", warning: "" }] } }),
      "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
      "status.typeChecking.expressionWarnings[0].warning: Required value",
    ],
  ],
});
test("ValidatingAdmissionPolicy: defaults and row", () => {
  assert.equal(policy.created().spec?.failurePolicy, "Fail");
  assert.deepEqual(policy.created().spec?.matchConstraints, {
    resourceRules: [{ ...rule, scope: "*" }],
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
  });
  assert.deepEqual(policy.row(), ["x", 1, "<unset>", "24h"]);
  assert.equal(policy.row(({ spec }) => (spec!.paramKind = { apiVersion: "a/v1", kind: "K" }))[2], "a/v1/K");
});

const binding = kindTable<ValidatingAdmissionPolicyBinding>(validatingAdmissionPolicyBinding, {
  metadata,
  spec: { policyName: "p", validationActions: ["Deny"] },
});
checkTable("ValidatingAdmissionPolicyBinding", binding, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "nothing at all",
      (object) => (object.spec = {}),
      "spec.policyName: Required value",
      "spec.validationActions: Required value",
    ],
    [
      "actions",
      ({ spec }) => (spec!.validationActions = ["Deny", "Warn", "Deny", "Log"]),
      'spec.validationActions[2]: Duplicate value: "Deny"',
      'spec.validationActions[3]: Unsupported value: "Log": supported values: "Audit", "Deny", "Warn"',
      'spec.validationActions: Invalid value: ["Deny","Warn","Deny","Log"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
    [
      "parameters by name and by labels",
      ({ spec }) => (spec!.paramRef = { name: "a", selector: {} }),
      "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
      "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
    ],
    [
      "no parameters",
      ({ spec }) => (spec!.paramRef = { parameterNotFoundAction: "Warn" }),
      "spec.paramRef: Required value: one of name or selector must be specified",
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "Warn": supported values: "Deny", "Allow"',
    ],
  ],
});
test("ValidatingAdmissionPolicyBinding: row", () => {
  assert.deepEqual(binding.row(), ["x", "p", "<unset>", "24h"]);
  assert.equal(binding.row(({ spec }) => (spec!.paramRef = { name: "a", namespace: "b" }))[2], "b/a");
});

const mutation = { patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } };
const mutatingPolicy = kindTable<MutatingAdmissionPolicy>(mutatingAdmissionPolicyKind, {
  metadata,
  spec: { matchConstraints, mutations: [mutation], reinvocationPolicy: "Never" },
});
checkTable("MutatingAdmissionPolicy", mutatingPolicy, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "nothing at all",
      (object) => (object.spec = { matchConstraints }),
      "spec.mutations: Required value: mutations must contain at least one item",
      "spec.reinvocationPolicy: Required value",
    ],
    [
      "mutations",
      ({ spec }) =>
        (spec!.mutations = [
          { patchType: "" },
          { patchType: "Merge" },
          { patchType: "JSONPatch" },
          { ...mutation, jsonPatch: { expression: "[]" } },
        ]),
      "spec.mutations[0].patchType: Required value",
      'spec.mutations[1].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"',
      "spec.mutations[2].jsonPatch: Required value: must be specified when patchType is JSONPatch",
      "spec.mutations[3].jsonPatch: Forbidden: must not be specified when patchType is ApplyConfiguration",
    ],
  ],
});
test("MutatingAdmissionPolicy: row", () =>
  assert.deepEqual(mutatingPolicy.row(), ["x", 1, "<unset>", "24h"]));

const mutatingBinding = kindTable<MutatingAdmissionPolicyBinding>(mutatingAdmissionPolicyBinding, {
  metadata,
  spec: { policyName: "p", paramRef: { name: "a" } },
});
checkTable("MutatingAdmissionPolicyBinding", mutatingBinding, {
  create: [
    ["nothing is wrong", () => undefined],
    ["nothing at all", (object) => (object.spec = {}), "spec.policyName: Required value"],
  ],
});
test("MutatingAdmissionPolicyBinding: defaults and row", () => {
  assert.equal(mutatingBinding.created().spec?.paramRef?.parameterNotFoundAction, "Deny");
  assert.deepEqual(mutatingBinding.row(), ["x", "p", "a", "24h"]);
});
