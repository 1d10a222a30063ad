import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyJournal, judge, readJournal, type Held, type Journal, type Write } from "./journal.ts";

const line = (value: object): string => `${JSON.stringify(value)}\n`;
/** A write as `key`, `key=token` or `key=token@compared`. */
const writeOf = (text: string): Write => {
  const [, key = "", token, after] = /^([^=]+)(?:=([^@]+))?(?:@(\d+))?$/.exec(text) ?? [];
  return { key, ...(token ? { token } : {}), ...(after ? { after: Number(after) } : {}) };
};
const tried = (writer: number, ...writes: string[]): string =>
  line({ kind: "try", writer, writes: writes.map(writeOf) });
const acked = (writer: number, revision: number): string =>
  line({ kind: "ack", writer, revision, tokens: [] });
const refused = (writer: number): string => line({ kind: "refused", writer });

type History = Record<number, string[]>;

/** What a store shows whose history is this one; `values` stands for its values when they are others. */
function look(journal: Journal, history: History, values?: Record<string, [string, number]>): string {
  const held = new Map<string, Held>();
  const writes = new Map(
    Object.entries(history).map(([revision, all]) => [Number(revision), all.map(writeOf)] as const),
  );
  for (const [revision, all] of writes)
    for (const { key, token } of all) {
      if (token === undefined) held.delete(key);
      else held.set(key, { token, revision });
    }
  const shownHeld =
    values === undefined
      ? held
      : new Map(Object.entries(values).map(([key, [token, revision]]) => [key, { token, revision }]));
  const revision = Math.max(1, ...writes.keys());
  return judge(journal, { revision, compactedRevision: 0, held: shownHeld, history: writes }).join("; ");
}

function journalOf(...lines: string[]): Journal {
  const journal = emptyJournal();
  assert.deepEqual(readJournal(journal, lines.join("")), []);
  return journal;
}

const start = [tried(1, "/a=1"), acked(1, 2), tried(1, "/a=2@2", "/b=2"), tried(2, "/c=1")];
const first = { 2: ["/a=1"] };

test("what was acknowledged must be there; what is in doubt, as a whole or not at all", () => {
  const rows: [string, History, RegExp | undefined][] = [
    ["not applied", first, undefined],
    ["applied", { ...first, 3: ["/a=2", "/b=2"] }, undefined],
    ["both applied", { ...first, 3: ["/c=1"], 4: ["/a=2", "/b=2"] }, undefined],
    ["half", { ...first, 3: ["/a=2"] }, /nobody wrote it/],
    ["twice", { ...first, 3: ["/c=1"], 4: ["/c=1"] }, /nobody wrote it/],
    ["lost", {}, /the store is at 1, 2 was acknowledged.*2 was acknowledged and is not/],
    ["another value", { 2: ["/a=9"] }, /revision 2 holds .* written was/],
    ["from nowhere", { ...first, 3: ["/z=9"] }, /nobody wrote it/],
    ["a hole", { ...first, 4: ["/c=1"] }, /has 4 where 3 is due/],
  ];
  for (const [name, history, expected] of rows) {
    const problems = look(journalOf(...start), history);
    if (expected === undefined) assert.equal(problems, "", name);
    else assert.match(problems, expected, name);
  }
});

test("values are those of the history, at its revisions", () => {
  for (const values of [{}, { "/a": ["1", 1] }, { "/a": ["2", 2] }, { "/a": ["1", 2], "/b": ["2", 2] }])
    assert.match(
      look(journalOf(...start), first, values as Record<string, [string, number]>),
      /holds .* says/,
    );
  assert.equal(look(journalOf(...start), first, { "/a": ["1", 2] }), "");
});

test("a compare that did not hold shows, and so does what was refused", () => {
  const both = [tried(1, "/s=1@0"), acked(1, 2), tried(2, "/s=2@0")];
  assert.match(look(journalOf(...both, acked(2, 3)), { 2: ["/s=1"], 3: ["/s=2"] }), /compared with 0.* at 2/);
  assert.equal(look(journalOf(...both, refused(2)), { 2: ["/s=1"] }), "");
  assert.match(look(journalOf(...both, refused(2)), { 2: ["/s=1"], 3: ["/s=2"] }), /nobody wrote it/);
});

test("deletions count where there is something, and a line that was cut off does not", () => {
  const journal = journalOf(tried(1, "/a=1"), acked(1, 2), tried(1, "/a", "/b", "/c=1"), acked(1, 3), '{"ki');
  assert.equal(look(journal, { 2: ["/a=1"], 3: ["/a", "/c=1"] }), "");
});

test("from one round to the next: the past stays, revisions are not used again", () => {
  const journal = journalOf(...start);
  assert.equal(look(journal, first), "");
  assert.match(look(structuredClone(journal), { 2: ["/a=7"] }), /revision 2 holds .* it held/);
  assert.match(
    look(structuredClone(journal), { ...first, 3: ["/c=1"] }),
    /nobody wrote it/,
    "no longer in doubt",
  );
  readJournal(journal, tried(3, "/d=1"));
  assert.match(readJournal(journal, acked(3, 2)).join(), /revision 2 was acknowledged, and it was there/);
});
