import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { AdmissionFacts } from "./admission-variables.ts";
import { compilePolicy, type PolicySpec } from "./policy.ts";
import { compileMatchConditions } from "./policy-run.ts";

const kind = { group: "apps", version: "v1", kind: "Deployment" };
const resource = { group: "apps", version: "v1", resource: "deployments" };
const facts = (more: Partial<AdmissionFacts> = {}): AdmissionFacts => ({
  object: { metadata: { name: "web", labels: { env: "prod" } }, spec: { replicas: 7 } },
  oldObject: undefined,
  params: undefined,
  namespaceObject: {
    metadata: { name: "shop", uid: "u1", labels: { team: "a" } },
    status: { phase: "Active" },
  },
  request: {
    kind,
    resource,
    subResource: "",
    requestKind: kind,
    requestResource: resource,
    requestSubResource: "",
    name: "web",
    namespace: "shop",
    operation: "CREATE",
    userInfo: { username: "ann", groups: ["devs"], extra: { scopes: ["x"] } },
    dryRun: false,
    options: {},
  },
  authorize: ({ verb }) => ({ allowed: verb === "get", reason: "" }),
  ...more,
});

const found = (spec: PolicySpec, more: Partial<AdmissionFacts> = {}): unknown => {
  const policy = compilePolicy(spec);
  assert.deepEqual(policy.errors.map(fieldErrorMessage), []);
  return policy.findings(facts(more));
};
const check = (...expressions: string[]): PolicySpec => ({
  validations: expressions.map((expression) => ({ expression })),
});

test("validations that hold find nothing: everything that expressions see", () => {
  const expressions = [
    "object.spec.replicas == 7 && object.metadata.labels['env'] == 'prod'",
    "oldObject == null",
    "request.operation == 'CREATE' && request.userInfo.username == 'ann' && 'devs' in request.userInfo.groups",
    "request.kind.kind == 'Deployment' && request.resource.resource == 'deployments' && !request.dryRun",
    "request.userInfo.extra['scopes'][0] == 'x' && !has(request.userInfo.uid)",
    "namespaceObject.metadata.name == 'shop' && namespaceObject.metadata.labels.team == 'a'",
    "namespaceObject.metadata.UID == 'u1' && namespaceObject.status.phase == 'Active'",
    "authorizer.group('').resource('pods').check('get').allowed()",
    "!authorizer.requestResource.check('delete').allowed()",
  ];
  assert.deepEqual(found(check(...expressions)), []);
});

test("what does not hold: the message, or the expression", () => {
  assert.deepEqual(found(check(" object.spec.replicas <= 5 ")), [
    { outcome: "denied", message: "failed expression: object.spec.replicas <= 5", reason: "Invalid" },
  ]);
  const expression = "object.spec.replicas <= 5";
  const say = (more: object): unknown => found({ validations: [{ expression, ...more }] });
  assert.deepEqual(say({ message: "too many", reason: "Forbidden" }), [
    { outcome: "denied", message: "too many", reason: "Forbidden" },
  ]);
  const messageExpression = "'at most 5, not ' + string(object.spec.replicas)";
  assert.deepEqual(say({ message: "too many", messageExpression }), [
    { outcome: "denied", message: "at most 5, not 7", reason: "Invalid" },
  ]);
  assert.deepEqual(say({ message: "too many", messageExpression: "string(object.nope)" }), [
    { outcome: "denied", message: "too many", reason: "Invalid" },
  ]);
});

test("an expression without an answer", () => {
  assert.deepEqual(found(check("object.spec.nope > 1")), [
    {
      outcome: "error",
      message: "expression 'object.spec.nope > 1' resulted in error: no such key: nope",
      reason: "Invalid",
    },
  ]);
});

test("params: null where the policy has a kind of them and none is bound", () => {
  const spec: PolicySpec = {
    paramKind: {},
    ...check("params == null || object.spec.replicas <= params.max"),
  };
  assert.deepEqual(found(spec), []);
  assert.deepEqual(found(spec, { params: { max: 10 } }), []);
  assert.equal((found(spec, { params: { max: 5 } }) as unknown[]).length, 1);
  assert.match(
    compilePolicy(check("params == null")).errors[0]?.detail ?? "",
    /undeclared reference to 'params'/,
  );
});

test("variables see those before them, have types, and are computed once", () => {
  let asked = 0;
  const authorize = (): { allowed: boolean; reason: string } => ({ allowed: ++asked > 0, reason: "" });
  const variables = [
    { name: "replicas", expression: "object.spec.replicas" },
    { name: "many", expression: "variables.replicas > 5" },
    { name: "may", expression: "authorizer.path('/x').check('get').allowed()" },
    { name: "broken", expression: "object.nope" },
  ];
  assert.deepEqual(
    found({ variables, ...check("variables.many && variables.may", "variables.may") }, { authorize }),
    [],
  );
  assert.equal(asked, 1);
  assert.equal((found({ variables, ...check("variables.broken == 1") }) as unknown[]).length, 1);
  assert.match(
    compilePolicy({ variables, ...check("variables.many + 1 == 2") }).errors[0]?.detail ?? "",
    /no matching overload for '_\+_' applied to '\(bool, int\)'/,
  );
  assert.match(
    compilePolicy({ variables: [...variables].reverse() }).errors[0]?.detail ?? "",
    /undefined field 'replicas'/,
  );
});

test("match conditions: one false is enough, errors count only where none is", () => {
  const matching = (...expressions: string[]): unknown => {
    const conditions = expressions.map((expression, i) => ({ name: `c${i}`, expression }));
    return compilePolicy({ matchConditions: conditions }).matches(facts());
  };
  assert.deepEqual(matching(), { matched: true });
  assert.deepEqual(matching("true", "object.spec.replicas > 5"), { matched: true });
  assert.deepEqual(matching("object.nope == 1", "false"), { matched: false });
  assert.deepEqual(matching("object.nope == 1", "true"), {
    error: "expression 'object.nope == 1' resulted in error: no such key: nope",
  });
  const { errors, matches } = compileMatchConditions(
    [{ name: "a", expression: "request.operation == 'CREATE'" }],
    "p",
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(matches(facts()), { matched: true });
});

/** spec → the first error. */
const refused: readonly (readonly [PolicySpec, string])[] = [
  [
    check("object.x +"),
    `spec.validations[0].expression: Invalid value: "object.x +": compilation failed: ERROR: <input>:1:11: Syntax error`,
  ],
  [check("object.x"), `spec.validations[0].expression: Invalid value: "object.x": must evaluate to bool`],
  [
    { validations: [{ expression: "true", messageExpression: "1" }] },
    `spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string`,
  ],
  [
    { matchConditions: [{ name: "a", expression: "1" }] },
    `spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool`,
  ],
  [
    { variables: [{ name: "a", expression: "nope" }] },
    `spec.variables[0].expression: Invalid value: "nope": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope'`,
  ],
  [
    { auditAnnotations: [{ key: "a", valueExpression: "1" }] },
    `spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type]`,
  ],
  [
    check("request.namex == ''"),
    `spec.validations[0].expression: Invalid value: "request.namex == ''": compilation failed: ERROR: <input>:1:8: undefined field 'namex'`,
  ],
];
for (const [spec, message] of refused) {
  test(`refused: ${message}`, () => {
    const [first] = compilePolicy(spec).errors.map(fieldErrorMessage);
    assert.ok(first?.startsWith(message), first);
  });
}

test("a policy that spends its budget gives no more answers", () => {
  const list = Array(400).fill(1);
  const heavy = "object.list.all(x, object.list.all(y, x == y))";
  const spec = check(...Array<string>(16).fill(heavy), "true");
  const findings = found(spec, { object: { list: list.slice(0, 330) } }) as {
    outcome: string;
    message: string;
  }[];
  assert.ok(findings.length > 1, String(findings.length));
  assert.ok(
    findings.every(({ message }) =>
      message.startsWith("validation failed due to running out of cost budget"),
    ),
  );
});
