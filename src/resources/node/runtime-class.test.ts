import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuntimeClass } from "#machinery/gen/types/node-v1.ts";
import { kindTable, tableChecker } from "../kind-table.ts";
import { runtimeClass } from "./runtime-class.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const kind = kindTable<RuntimeClass>(runtimeClass, {
  metadata: { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" },
  handler: "runc",
});
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

checkTable("RuntimeClass", kind, {
  create: [
    ["nothing is wrong", () => undefined],
    ["no handler", (object) => (object.handler = ""), `handler: Invalid value: "": ${label}`],
    [
      "less than nothing",
      (object) => (object.overhead = { podFixed: { cpu: "-1" } }),
      'overhead.podFixed[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      "a bad toleration",
      (object) => (object.scheduling = { tolerations: [{ operator: "Equal", value: "a" }] }),
      'scheduling.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
  ],
  update: [
    ["where it runs", (object) => (object.scheduling = { nodeSelector: { a: "b" } })],
    [
      "another handler",
      (object) => (object.handler = "kata"),
      'handler: Invalid value: "kata": field is immutable',
    ],
  ],
});
test("RuntimeClass: its row", () => assert.deepEqual(kind.row(), ["x", "runc", "24h"]));
