import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { AdmissionFacts } from "./admission-variables.ts";
import { compileMutations } from "./mutation-policy.ts";

const kind = { group: "apps", version: "v1", kind: "Deployment" };
const resource = { group: "apps", version: "v1", resource: "deployments" };
const facts: AdmissionFacts = {
  object: {
    metadata: { name: "web" },
    spec: { replicas: 7, template: { spec: { containers: [{ name: "a" }] } } },
  },
  oldObject: undefined,
  params: undefined,
  namespaceObject: undefined,
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
    userInfo: { username: "ann", groups: [] },
    dryRun: false,
    options: {},
  },
  authorize: () => ({ allowed: false, reason: "" }),
};

const apply = (expression: string): object => ({
  mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
});
const patch = (expression: string): object => ({
  mutations: [{ patchType: "JSONPatch", jsonPatch: { expression } }],
});

/** mutation → what it makes */
const rows: readonly (readonly [object, unknown])[] = [
  [apply("Object{}"), { kind: "apply", value: {} }],
  [
    apply(
      "Object{spec: Object.spec{replicas: object.spec.replicas + 1}, metadata: Object.metadata{labels: {'a': 'b'}}}",
    ),
    { kind: "apply", value: { spec: { replicas: 8 }, metadata: { labels: { a: "b" } } } },
  ],
  [
    apply(
      "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, image: 'i'})}}}}",
    ),
    { kind: "apply", value: { spec: { template: { spec: { containers: [{ name: "a", image: "i" }] } } } } },
  ],
  [
    apply("Object{spec: Object.spec{?paused: object.spec.?paused, ?replicas: object.spec.?replicas}}"),
    { kind: "apply", value: { spec: { replicas: 7 } } },
  ],
  [
    patch("[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), value: 'x'}]"),
    { kind: "patch", value: [{ op: "add", path: "/metadata/labels/a~1b~0c", value: "x" }] },
  ],
  [
    patch(
      "object.spec.replicas > 5 ? [JSONPatch{op: 'replace', path: '/spec', value: Object.spec{replicas: 5}}] : []",
    ),
    { kind: "patch", value: [{ op: "replace", path: "/spec", value: { replicas: 5 } }] },
  ],
  [patch("[]"), { kind: "patch", value: [] }],
  [
    apply("Object{spec: Object.metadata{}}"),
    {
      error:
        'expression \'Object{spec: Object.metadata{}}\' resulted in error: unexpected type name "Object.metadata", expected "Object.spec", which matches field name path from root Object type',
    },
  ],
  [
    apply("Object{spec: object.nope}"),
    { error: "expression 'Object{spec: object.nope}' resulted in error: no such key: nope" },
  ],
];
for (const [spec, expected] of rows) {
  test(JSON.stringify(spec), () => {
    const { errors, matches, mutations } = compileMutations(spec);
    assert.deepEqual(errors.map(fieldErrorMessage), []);
    assert.deepEqual(matches(facts), { matched: true });
    assert.deepEqual(
      mutations.map((one) => one(facts)),
      [expected],
    );
  });
}

/** mutation → the first error */
const refused: readonly (readonly [object, string])[] = [
  [
    apply("1"),
    `spec.mutations[0].applyConfiguration.expression: Invalid value: "1": must evaluate to Object`,
  ],
  [
    apply("Object.spec{}"),
    `spec.mutations[0].applyConfiguration.expression: Invalid value: "Object.spec{}": must evaluate to Object`,
  ],
  [
    apply("Thing{}"),
    `spec.mutations[0].applyConfiguration.expression: Invalid value: "Thing{}": compilation failed: ERROR: <input>:1:6: undeclared reference to 'Thing' (in container '')`,
  ],
  [
    patch("[JSONPatch{op: 1}]"),
    `spec.mutations[0].jsonPatch.expression: Invalid value: "[JSONPatch{op: 1}]": compilation failed: ERROR: <input>:1:12: expected type of field 'op' is 'string' but provided type is 'int'`,
  ],
  [
    patch("[JSONPatch{opp: ''}]"),
    `spec.mutations[0].jsonPatch.expression: Invalid value: "[JSONPatch{opp: ''}]": compilation failed: ERROR: <input>:1:12: undefined field 'opp'`,
  ],
];
for (const [spec, message] of refused) {
  test(`refused: ${message}`, () => {
    const [first] = compileMutations(spec).errors.map(fieldErrorMessage);
    assert.equal(first?.split("\n")[0], message);
  });
}
