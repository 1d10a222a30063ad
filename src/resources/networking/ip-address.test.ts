import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress, ParentReference } from "#machinery/gen/types/networking-v1.ts";
import { kindTable, type Change } from "../kind-table.ts";
import { ipAddressKind } from "./ip-address.ts";

const kind = kindTable<IPAddress>(ipAddressKind, {
  metadata: { name: "10.96.0.5", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: { parentRef: { resource: "services", namespace: "default", name: "a" } },
});
const parent =
  (given: ParentReference): Change<IPAddress> =>
  ({ spec }) =>
    Object.assign(spec?.parentRef ?? {}, given);

const cases: [string, Change<IPAddress>, string[]][] = [
  ["nothing is wrong", () => undefined, []],
  ["nobody's", (object) => (object.spec = {}), ["spec.parentRef: Required value"]],
  [
    "half a parent",
    parent({ resource: "", name: "a/b", namespace: "%" }),
    [
      "spec.parentRef.resource: Required value",
      `spec.parentRef.name: Invalid value: "a/b": may not contain '/'`,
      `spec.parentRef.namespace: Invalid value: "%": may not contain '%'`,
    ],
  ],
];
for (const [title, change, causes] of cases)
  test(`IPAddress: ${title}`, () => assert.deepEqual(kind.onCreate(change), causes));

test("IPAddress: the name is an address in its one form", () => {
  const told = (name: string): string[] => ipAddressKind.validateName(name, false);
  assert.deepEqual(told("10.0.0.1"), []);
  assert.deepEqual(told("2001:db8::1"), []);
  assert.deepEqual(told("2001:DB8:0::1"), ['must be in canonical form ("2001:db8::1")']);
  assert.deepEqual(told("a"), ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]);
});

test("IPAddress: it stays its parent's", () => {
  assert.deepEqual(kind.onUpdate(parent({ name: "b" })), [
    'spec.parentRef: Invalid value: {"resource":"services","namespace":"default","name":"b"}: field is immutable',
  ]);
  assert.deepEqual(
    kind.onUpdate(({ metadata }) => (metadata!.labels = { a: "b" })),
    [],
  );
});

test("IPAddress: its row", () => {
  assert.deepEqual(kind.row(), ["10.96.0.5", "services/default/a", "24h"]);
  assert.equal(
    kind.row(parent({ group: "gateway.networking.k8s.io", resource: "gateways", namespace: "" }))[1],
    "gateways.gateway.networking.k8s.io/a",
  );
});
