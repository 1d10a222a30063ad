import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeFields, setOf } from "./field-set.ts";
import {
  asksForReset,
  readGiven,
  readStored,
  sameButTimes,
  writeEntries,
  type ManagedEntry,
} from "./managed-entries.ts";
import { managerOfUserAgent } from "./manager-name.ts";

const entry = (given: Partial<ManagedEntry>): ManagedEntry => ({
  manager: "m",
  operation: "Update",
  apiVersion: "v1",
  time: "2026-01-01T00:00:00Z",
  subresource: "",
  fields: setOf(["f:a"]),
  ...given,
});

describe("managed fields in an object", () => {
  it("are written in the documented order of fields", () => {
    assert.equal(
      writeEntries([entry({ subresource: "status" })]),
      '[{"manager":"m","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}},"subresource":"status"}]',
    );
    assert.equal(writeEntries([]), "");
  });

  it("stand in one order: applies first, then by time, manager, version, subresource", () => {
    const time = "2026-01-02T00:00:00Z";
    const sorted = [
      entry({ manager: "z", operation: "Apply", time }),
      entry({ manager: "y", time: undefined }),
      entry({ manager: "x" }),
      entry({ manager: "a", time }),
      entry({ manager: "b", time, apiVersion: "v1" }),
      entry({ manager: "b", time, apiVersion: "v2" }),
      entry({ manager: "b", time, apiVersion: "v2", subresource: "status" }),
    ];
    assert.equal(writeEntries([...sorted].reverse()), writeEntries(sorted));
    const read = JSON.parse(writeEntries([...sorted].reverse())) as { manager: string }[];
    assert.deepEqual(
      read.map(({ manager }) => manager),
      ["z", "y", "x", "a", "b", "b", "b"],
    );
  });

  const tricky = [
    "plain",
    'a"b',
    '},{"manager":"x"',
    ',"fieldsType":"FieldsV1","fieldsV1":',
    ',"subresource":"status"}',
    "\\",
    "é\u2028",
  ];
  it("are read as they were written, whatever names there are", () => {
    const entries = tricky.flatMap((name) => [
      entry({ manager: name, fields: setOf(["f:m", `f:${name}`], ["f:l", `v:${JSON.stringify(name)}`]) }),
      entry({ manager: name, subresource: name, time: undefined }),
      entry({ manager: name, operation: "Apply", fields: setOf([`k:{"n":${JSON.stringify(name)}}`]) }),
    ]);
    const text = writeEntries(entries);
    const read = readStored(text);
    assert.equal(read.length, entries.length);
    assert.ok(sameButTimes(read, entries));
    assert.equal(writeEntries(read), text);
    const copies = read.map(({ manager, operation, apiVersion, time, subresource, fields }) => ({
      manager,
      operation,
      apiVersion,
      time,
      subresource,
      fields,
    }));
    assert.equal(writeEntries(copies), text);
  });
});

describe("managed fields from clients", () => {
  const good = {
    manager: "m",
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:b": {}, "f:a": {} },
  };
  const read: [string, unknown, number | undefined][] = [
    ["nothing", undefined, undefined],
    ["an empty list", [], undefined],
    ["an entry", [good], 1],
    ["an entry twice", [good, { ...good, fieldsV1: { "f:c": {} } }], 1],
    ["an entry that owns nothing", [{ ...good, fieldsV1: {} }], 0],
    ["an entry that owns what nobody owns", [{ ...good, fieldsV1: { "f:metadata": { "f:name": {} } } }], 0],
    ["another operation", [{ ...good, operation: "Patch" }], undefined],
    ["no version", [{ ...good, apiVersion: "" }], undefined],
    ["no type of fields", [{ ...good, fieldsType: "" }], undefined],
    ["another type of fields", [{ ...good, fieldsType: "FieldsV2" }], undefined],
    ["fields that are none", [{ ...good, fieldsV1: { a: {} } }], undefined],
    ["no list", "x", undefined],
  ];
  for (const [name, given, count] of read)
    it(`${name}: ${count ?? "the stored ones stay"}`, () => assert.equal(readGiven(given)?.length, count));

  it("are brought into the canonical form", () => {
    assert.equal(JSON.stringify(readGiven([good])?.[0]?.fields), '{"f:a":{},"f:b":{}}');
  });

  it("ask for a reset with one empty entry", () => {
    assert.ok(asksForReset([{}]));
    assert.ok(asksForReset([{ manager: "" }]));
    assert.ok(!asksForReset([]));
    assert.ok(!asksForReset([{}, {}]));
    assert.ok(!asksForReset([good]));
  });
});

describe("entries", () => {
  it("of an applier are one, whatever version it applies", () => {
    const fields = decodeFields({ "f:a": {} });
    const before = [entry({ operation: "Apply", apiVersion: "v1", fields })];
    const after = [entry({ operation: "Apply", apiVersion: "v2", fields })];
    assert.ok(!sameButTimes(before, after));
    assert.ok(sameButTimes(before, [entry({ operation: "Apply", time: "other", fields })]));
  });
});

describe("the manager of a user agent", () => {
  const names: [string, string][] = [
    ["kubectl/v1.36.0 (linux/amd64) kubernetes/abc", "kubectl"],
    ["kube-controller-manager", "kube-controller-manager"],
    ["Mozilla", "Mozilla"],
    ["", "unknown"],
    ["/v1", "unknown"],
    ["a\u0007b\u00a0c/1", "ab\u00a0c"],
    ["x".repeat(200), "x".repeat(128)],
    [`${"x".repeat(127)}é`, "x".repeat(127)],
  ];
  for (const [agent, want] of names)
    it(JSON.stringify(agent), () => assert.equal(managerOfUserAgent(agent), want));
});
