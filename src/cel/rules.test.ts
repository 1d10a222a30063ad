import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import { compileRules, runtimeCostBudget } from "./rules.ts";
import { hasRules, type RuleSchema, type ValidationRule } from "./rule-schema.ts";

const text: RuleSchema = { type: "string" };
const whole: RuleSchema = { type: "integer" };
const object = (properties: RuleSchema["properties"], more: Partial<RuleSchema> = {}): RuleSchema => ({
  type: "object",
  properties: properties ?? {},
  ...more,
});
const withRules = (schema: RuleSchema, ...rules: (string | ValidationRule)[]): RuleSchema => ({
  ...schema,
  "x-kubernetes-validations": rules.map((rule) => (typeof rule === "string" ? { rule } : rule)),
});
const spec = (schema: RuleSchema): RuleSchema => object({ spec: schema });

const at = "spec.validation.openAPIV3Schema";
const errorsOf = (schema: RuleSchema): string[] => compileRules(schema, at).errors.map(fieldErrorMessage);

function check(schema: RuleSchema, value: object, old?: object, budget?: number): string[] {
  const rules = compileRules(schema, at);
  assert.deepEqual(rules.errors.map(fieldErrorMessage), []);
  return rules.validate(value, old, budget).errors.map(fieldErrorMessage);
}

test("a schema without rules finds nothing", () => {
  const schema = spec(object({ a: text }));
  assert.equal(hasRules(schema), false);
  const rules = compileRules(schema, at);
  assert.equal(rules.empty, true);
  assert.deepEqual(rules.errors, []);
  assert.deepEqual(rules.validate({}, undefined), { errors: [], remaining: runtimeCostBudget });
});

const replicas = object({ min: whole, replicas: whole, max: whole });

test("a rule that fails: the field, its value, the rule or the message", () => {
  const value = { spec: { min: 0, replicas: 20, max: 10 } };
  const rule = "self.min <= self.replicas && self.replicas <= self.max";
  assert.deepEqual(check(spec(withRules(replicas, rule)), value), [
    `spec: Invalid value: failed rule: ${rule}`,
  ]);
  assert.deepEqual(check(spec(withRules(replicas, { rule, message: " too many " })), value), [
    "spec: Invalid value: too many",
  ]);
  assert.deepEqual(check(spec(withRules(replicas, rule)), { spec: { min: 0, replicas: 5, max: 10 } }), []);
});

test("messageExpression, and the message where it has no good result", () => {
  const made = (messageExpression: string, more = {}): string[] =>
    check(spec(withRules(replicas, { rule: "false", messageExpression, ...more })), {
      spec: { replicas: 7 },
    });
  const value = "Invalid value";
  assert.deepEqual(made("'got ' + string(self.replicas)"), [`spec: ${value}: got 7`]);
  assert.deepEqual(made("''", { message: "plain" }), [`spec: ${value}: plain`]);
  assert.deepEqual(made("'a\\nb'", { message: "plain" }), [`spec: ${value}: plain`]);
  assert.deepEqual(made("string(self.max)"), [`spec: ${value}: failed rule: false`]);
});

test("reason and fieldPath", () => {
  const failing = (more: Partial<ValidationRule>): string[] =>
    check(spec(withRules(replicas, { rule: "false", message: "no", fieldPath: ".replicas", ...more })), {
      spec: { replicas: 7 },
    });
  assert.deepEqual(failing({}), ["spec.replicas: Invalid value: no"]);
  assert.deepEqual(failing({ reason: "FieldValueForbidden" }), ["spec.replicas: Forbidden: no"]);
  assert.deepEqual(failing({ reason: "FieldValueRequired" }), ["spec.replicas: Required value: no"]);
  assert.deepEqual(failing({ reason: "FieldValueDuplicate" }), ["spec.replicas: Duplicate value: no"]);
});

test("rules below: properties, maps, lists", () => {
  const positive = withRules({ type: "integer" }, { rule: "self > 0", message: "must be positive" });
  const schema = object({
    one: positive,
    map: { type: "object", additionalProperties: positive, maxProperties: 10 },
    list: { type: "array", items: object({ n: positive }), maxItems: 10 },
  });
  assert.deepEqual(check(schema, { one: -1, map: { a: 1, "b/c": -2 }, list: [{ n: 1 }, { n: -3 }, {}] }), [
    "one: Invalid value: -1: must be positive",
    "map[b/c]: Invalid value: -2: must be positive",
    "list[1].n: Invalid value: -3: must be positive",
  ]);
});

test("the root sees apiVersion, kind, metadata.name and metadata.generateName", () => {
  const schema = withRules(
    object({}),
    "self.metadata.name == 'singleton' && self.kind == 'One' && self.apiVersion != ''",
  );
  assert.deepEqual(check(schema, { apiVersion: "a/v1", kind: "One", metadata: { name: "singleton" } }), []);
  assert.match(
    errorsOf(withRules(object({}), "self.metadata.labels.x == ''")).join(),
    /undefined field 'labels'/,
  );
});

test("an evaluation that ends in an error", () => {
  const union = object({ port: { "x-kubernetes-int-or-string": true } });
  const rule = "self.port < 100 || self.port == '50%'";
  assert.deepEqual(check(withRules(union, rule), { port: 50 }), []);
  assert.deepEqual(check(withRules(union, rule), { port: "50%" }), []);
  assert.deepEqual(check(withRules(union, "self.port < 100"), { port: "x" }), [
    `<nil>: Invalid value: "object": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self.port < 100`,
  ]);
  assert.deepEqual(check(spec(withRules(replicas, "self.max > 0")), { spec: {} }), [
    'spec: Invalid value: "object": no such key: max evaluating rule: self.max > 0',
  ]);
});

test("transition rules run where there is an old value", () => {
  const fixed = withRules(text, { rule: "self == oldSelf", message: "is immutable" });
  const schema = object({ a: fixed });
  assert.deepEqual(check(schema, { a: "x" }), []);
  assert.deepEqual(check(schema, { a: "x" }, {}), []);
  assert.deepEqual(check(schema, { a: "x" }, { a: "x" }), []);
  assert.deepEqual(check(schema, { a: "x" }, { a: "y" }), [`a: Invalid value: "x": is immutable`]);
});

test("optionalOldSelf: the rule runs without an old value, too", () => {
  const rule = "oldSelf.hasValue() ? self == oldSelf.value() : self == 'first'";
  const schema = object({ a: withRules(text, { rule, optionalOldSelf: true, message: "no" }) });
  assert.deepEqual(check(schema, { a: "first" }), []);
  assert.deepEqual(check(schema, { a: "x" }), [`a: Invalid value: "x": no`]);
  assert.deepEqual(check(schema, { a: "x" }, { a: "x" }), []);
});

const keyedList = (items: RuleSchema): RuleSchema => ({
  type: "array",
  items,
  maxItems: 10,
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
});

test("items of a list of type map find their old selves by key", () => {
  const item = withRules(object({ name: text, v: whole }), {
    rule: "self.v >= oldSelf.v",
    message: "may not shrink",
  });
  const schema = object({ list: keyedList(item) });
  const old = {
    list: [
      { name: "a", v: 1 },
      { name: "b", v: 5 },
    ],
  };
  assert.deepEqual(
    check(
      schema,
      {
        list: [
          { name: "b", v: 4 },
          { name: "c", v: 0 },
          { name: "a", v: 1 },
        ],
      },
      old,
    ),
    ["list[0]: Invalid value: may not shrink"],
  );
});

test("what is unchanged is not held against an update; transition rules are", () => {
  const schema = spec(withRules(object({ a: text, b: text }), { rule: "self.a != 'bad'", message: "no" }));
  assert.equal(check(schema, { spec: { a: "bad" } }).length, 1);
  assert.deepEqual(check(schema, { spec: { a: "bad" }, other: 1 }, { spec: { a: "bad" } }), []);
  assert.equal(check(schema, { spec: { a: "bad", b: "new" } }, { spec: { a: "bad" } }).length, 1);
  const transition = spec(withRules(object({ a: text }), { rule: "oldSelf.a != 'bad'", message: "no" }));
  assert.equal(check(transition, { spec: { a: "bad" } }, { spec: { a: "bad" } }).length, 1);
});

test("lists with a type: equality without order, and their way to be joined", () => {
  const set: RuleSchema = { type: "array", items: text, "x-kubernetes-list-type": "set", maxItems: 9 };
  const map = keyedList(object({ name: text, v: whole }));
  const schema = (rule: string): RuleSchema => withRules(object({ a: set, b: set, c: map }), rule);
  const value = {
    a: ["x", "y"],
    b: ["y", "x"],
    c: [
      { name: "a", v: 1 },
      { name: "b", v: 2 },
    ],
  };
  const old = {
    c: [
      { name: "b", v: 3 },
      { name: "c", v: 4 },
    ],
  };
  for (const rule of [
    "self.a == self.b",
    "(self.a + ['z', 'x']).size() == 3 && (self.a + ['z'])[2] == 'z'",
    "self.c != oldSelf.c && self.c == [self.c[1], self.c[0]]",
    "(self.c + oldSelf.c).map(i, i.v) == [1, 3, 4]",
  ])
    assert.deepEqual(check(schema(rule), value, old), [], rule);
});

test("formats have their types", () => {
  const schema = withRules(
    object({
      at: { type: "string", format: "date-time" },
      on: { type: "string", format: "date" },
      ttl: { type: "string", format: "duration" },
      data: { type: "string", format: "byte" },
      n: { type: "number" },
    }),
    "self.at + self.ttl > self.at",
    "self.on.getFullYear() == 2024 && self.data == b'abc' && self.n / 2.0 == 1.0",
  );
  assert.deepEqual(
    check(schema, { at: "2024-01-01T00:00:00Z", on: "2024-05-06", ttl: "1h", data: "YWJj", n: 2 }),
    [],
  );
});

test("names are escaped; those that cannot be named are not there; null counts as absent", () => {
  const schema = (rule: string): RuleSchema =>
    withRules(
      object({
        namespace: whole,
        "x-prop": whole,
        redact__d: whole,
        "a.b/c": whole,
        "1st": whole,
        n: { type: "integer", nullable: true },
        constructor: whole,
      }),
      rule,
    );
  const value = { namespace: 1, "x-prop": 2, redact__d: 3, "a.b/c": 4, n: null };
  const rule =
    "self.__namespace__ + self.x__dash__prop + self.redact__underscores__d + self.a__dot__b__slash__c == 10 && !has(self.n) && !has(self.constructor)";
  assert.deepEqual(check(schema(rule), value), []);
  assert.match(errorsOf(schema("self.namespace > 0")).join(), /undefined field 'namespace'/);
});

test("unknown fields are not seen; embedded resources have their metadata", () => {
  const open = object({ a: text }, { "x-kubernetes-preserve-unknown-fields": true });
  assert.match(errorsOf(withRules(open, "self.b == ''")).join(), /undefined field 'b'/);
  const embedded = object({ inner: object({}, { "x-kubernetes-embedded-resource": true }) });
  assert.deepEqual(
    check(withRules(embedded, "self.inner.kind == 'A' && self.inner.metadata.name == 'n'"), {
      inner: { kind: "A", metadata: { name: "n" } },
    }),
    [],
  );
});

/** Rules → what the CustomResourceDefinition's validation says of them, below `x-kubernetes-validations[0]`. */
const refused: readonly (readonly [string, ValidationRule, string])[] = [
  ["no rule", { rule: " " }, ".rule: Required value: rule is not specified"],
  [
    "blank message",
    { rule: "true", message: " " },
    `.message: Invalid value: " ": message must be non-empty if specified`,
  ],
  [
    "message in lines",
    { rule: "true", message: "a\nb" },
    `.message: Invalid value: "a\\nb": message must not contain line breaks`,
  ],
  [
    "rule in lines",
    { rule: "true\n&& true" },
    ".message: Required value: message must be specified if rule contains line breaks",
  ],
  [
    "blank messageExpression",
    { rule: "true", messageExpression: " " },
    ".messageExpression: Required value: messageExpression must be non-empty if specified",
  ],
  [
    "reason",
    { rule: "true", reason: "Odd" },
    `.reason: Unsupported value: "Odd": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
  ],
  [
    "blank fieldPath",
    { rule: "true", fieldPath: "  " },
    `.fieldPath: Invalid value: "  ": fieldPath must be non-empty if specified`,
  ],
  [
    "no such field",
    { rule: "true", fieldPath: ".b" },
    `.fieldPath: Invalid value: ".b": fieldPath must be a valid path: does not refer to a valid field`,
  ],
  [
    "index",
    { rule: "true", fieldPath: ".a[0]" },
    `.fieldPath: Invalid value: ".a[0]": fieldPath must be a valid path: expected single quoted string but got 0`,
  ],
  [
    "optionalOldSelf",
    { rule: "true", optionalOldSelf: true },
    ".optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
  ],
  [
    "compile error",
    { rule: "self.nope" },
    `.rule: Invalid value: {"Rule":"self.nope","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^`,
  ],
];
for (const [name, rule, message] of refused) {
  test(`refused: ${name}`, () => {
    const errors = errorsOf(spec(withRules(object({ a: text }), rule)));
    assert.equal(errors[0], `${at}.properties[spec].x-kubernetes-validations[0]${message}`);
  });
}

test("refused: results of the wrong type", () => {
  assert.match(
    errorsOf(withRules(object({ a: text }), "self.a")).join(),
    /cel expression must evaluate to a bool$/,
  );
  assert.match(
    errorsOf(withRules(object({}), { rule: "true", messageExpression: "1" })).join(),
    /messageExpression\b.*messageExpression must evaluate to a string$/,
  );
});

test("refused: oldSelf where items cannot be told from their old selves", () => {
  const list = { type: "array", items: withRules(text, "self == oldSelf"), maxItems: 3 };
  const path = `${at}.properties[list].items`;
  assert.deepEqual(errorsOf(object({ list })), [
    `${path}.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${path}`,
  ]);
});

const help =
  "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

test("estimated costs: a list without a limit is as long as a request can be", () => {
  const rule = "(has(self.a) && !has(self.b)) || (!has(self.a) && has(self.b))";
  const items = withRules(object({ a: text, b: text }), rule);
  const path = `${at}.properties[list].items.x-kubernetes-validations[0].rule`;
  assert.deepEqual(errorsOf(object({ list: { type: "array", items } })), [
    `${path}: Forbidden: estimated rule cost exceeds budget by factor of 1.048576x ${help}`,
  ]);
  assert.deepEqual(errorsOf(object({ list: { type: "array", items, maxItems: 1000 } })), []);
});

test("estimated costs: nested loops", () => {
  const schema = (maxItems?: number): RuleSchema =>
    withRules(
      object({
        list: {
          type: "array",
          items: { type: "string", maxLength: 10 },
          ...(maxItems === undefined ? {} : { maxItems }),
        },
      }),
      "self.list.all(x, self.list.all(y, x != y))",
    );
  assert.match(
    errorsOf(schema())[0] ?? "",
    /Forbidden: estimated rule cost exceeds budget by factor of more than 100x/,
  );
  assert.deepEqual(errorsOf(schema(10)), []);
});

test("estimated costs: all rules of a schema together", () => {
  const rules = Array.from(
    { length: 12 },
    (_, i) => `self.list.all(x, x.contains('${"y".repeat((i % 9) + 1)}'))`,
  );
  const list: RuleSchema = { type: "array", items: { type: "string", maxLength: 800 }, maxItems: 29_000 };
  const errors = errorsOf(withRules(object({ list }), ...rules));
  assert.equal(errors.length, 5);
  assert.match(
    errors[0] ?? "",
    /rule: Forbidden: contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema$/,
  );
  assert.match(
    errors[4] ?? "",
    /^spec\.validation\.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema exceeds budget by factor of 1\.\d{6}x/,
  );
});

test("the budget of an object: after it is spent no rule is run", () => {
  const schema = withRules(
    object({ list: { type: "array", items: whole, maxItems: 1000 } }),
    "self.list.all(x, x > 0)",
    "false",
  );
  const value = { list: Array(100).fill(1) };
  const rules = compileRules(schema, at);
  const enough = rules.validate(value, undefined);
  assert.equal(enough.errors.length, 1);
  const spent = runtimeCostBudget - enough.remaining;
  assert.ok(spent >= 500 && spent < 600, String(spent));
  const short = rules.validate(value, undefined, 100);
  assert.deepEqual(
    short.errors.map(({ detail }) => detail),
    ["validation failed due to running out of cost budget, no further validation rules will be run"],
  );
  assert.equal(short.remaining, -1);
});

test("one rule may not spend it all", () => {
  const list: RuleSchema = { type: "array", items: { type: "integer" }, maxItems: 500 };
  const schema = withRules(object({ list }), "self.list.all(x, self.list.all(y, x >= 0 && y >= 0))");
  const rules = compileRules(schema, at);
  const { errors } = rules.validate({ list: Array(500).fill(1) }, undefined);
  assert.match(
    errors[0]?.detail ?? "",
    /^'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self\.list/,
  );
});
