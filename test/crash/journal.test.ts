import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkHistory,
  emptyJournal,
  readJournal,
  settle,
  type Held,
  type Journal,
  type Write,
} from "./journal.ts";

const line = (value: object): string => `${JSON.stringify(value)}\n`;
const tried = (writer: number, ...writes: [string, string?][]): string =>
  line({ kind: "try", writer, writes: writes.map(([key, token]) => (token ? { key, token } : { key })) });
const acked = (writer: number, revision: number): string =>
  line({ kind: "ack", writer, revision, token: "" });
const held = (entries: Record<string, [string, number]>): Map<string, Held> =>
  new Map(Object.entries(entries).map(([key, [token, revision]]) => [key, { token, revision }]));
function journalOf(...lines: string[]): Journal {
  const journal = emptyJournal();
  readJournal(journal, lines.join(""));
  return journal;
}

const start = [tried(1, ["/a", "1"]), acked(1, 2), tried(1, ["/a", "2"], ["/b", "2"])];

test("what was acknowledged must be there; what is in doubt, as a whole or not at all", () => {
  const rows: [string, Record<string, [string, number]>, RegExp | undefined][] = [
    ["not applied", { "/a": ["1", 2] }, undefined],
    ["applied", { "/a": ["2", 3], "/b": ["2", 3] }, undefined],
    ["half", { "/a": ["2", 3] }, /half of a transaction/],
    ["lost", {}, /half of a transaction|acknowledged was 1/],
    ["two revisions", { "/a": ["2", 3], "/b": ["2", 4] }, /several revisions/],
    ["from nowhere", { "/a": ["1", 2], "/z": ["9", 5] }, /nobody wrote it/],
  ];
  for (const [name, state, expected] of rows) {
    const problems = settle(journalOf(...start), held(state)).join("; ");
    if (expected === undefined) assert.equal(problems, "", name);
    else assert.match(problems, expected, name);
  }
});

test("deletions count, and a line that was cut off does not", () => {
  const journal = journalOf(tried(1, ["/a", "1"]), acked(1, 2), tried(1, ["/a"]), acked(1, 3), '{"kind":"tr');
  assert.deepEqual(settle(journal, held({})), []);
  assert.match(settle(journal, held({ "/a": ["1", 2] })).join(), /nobody wrote it/);
});

test("the history has no holes and says what was acknowledged", () => {
  const a = [{ key: "/a", token: "1" }];
  const b = [{ key: "/b", token: "1" }];
  const check = (...history: [number, Write[]][]): string => {
    const journal = journalOf(tried(1, ["/a", "1"]), acked(1, 2), tried(2, ["/b", "1"]), acked(2, 3));
    return checkHistory(journal, new Map(history)).join("; ");
  };
  assert.equal(check([2, a], [3, b]), "");
  assert.equal(check([3, b]), "", "what is compacted is not asked for");
  assert.match(check([2, a], [4, b]), /after revision 2 comes 4.*revision 3 is not/);
  assert.match(check([2, b], [3, b]), /revision 2 holds/);
});
