// What writers said they tried and what the store acknowledged, and whether a store that was opened again after they
// were killed can be the one that they talked to. Each writer has one transaction at a time: of each writer at most the
// last try is in doubt. Everything a round wrote is in the history that the store replays, so that history is compared
// transaction by transaction, and the values with what the history says. Pure.

/** A value that no other write has, or nothing for a deletion. */
export interface Write {
  readonly key: string;
  readonly token?: string;
  /** The revision of the key that was compared, and must have been its newest; absent: nothing was compared. */
  readonly after?: number;
}

export type JournalLine =
  | { readonly kind: "try"; readonly writer: number; readonly writes: readonly Write[] }
  | { readonly kind: "refused"; readonly writer: number }
  | {
      readonly kind: "ack";
      readonly writer: number;
      readonly revision: number;
      readonly tokens: readonly string[];
    };

/** A key as a store has it. */
export interface Held {
  readonly token: string;
  readonly revision: number;
}

/** What a store shows after it was opened: its values, and what a watch from the compacted revision on replays. */
export interface Shown {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly held: ReadonlyMap<string, Held>;
  readonly history: ReadonlyMap<number, readonly Write[]>;
}

export interface Journal {
  /** What the store held when it was looked at last, at which revision. */
  state: Map<string, Held>;
  revision: number;
  /** The history before that, as far as it was there. */
  past: Map<number, string>;
  /** How many transactions were acknowledged in all. */
  acknowledgements: number;
  /** The newest revision that was acknowledged. */
  newest: number;
  /** Since it was looked at: what was acknowledged, at which revision. */
  acknowledged: Map<number, readonly Write[]>;
  /** Per writer: what was tried, and neither acknowledged nor refused. */
  inDoubt: Map<number, readonly Write[]>;
}

export const emptyJournal = (): Journal => ({
  state: new Map(),
  revision: 1,
  past: new Map(),
  acknowledgements: 0,
  newest: 1,
  acknowledged: new Map(),
  inDoubt: new Map(),
});

/** Adds what the writers said; a last line that was cut off is none. Returns what the lines say of each other. */
export function readJournal(journal: Journal, text: string): string[] {
  const problems: string[] = [];
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  for (const row of complete.split("\n")) {
    if (row === "") continue;
    const line = JSON.parse(row) as JournalLine;
    const tried = journal.inDoubt.get(line.writer);
    if (line.kind === "try") {
      journal.inDoubt.set(line.writer, line.writes);
      continue;
    }
    journal.inDoubt.delete(line.writer);
    if (line.kind === "refused") continue;
    if (journal.acknowledged.has(line.revision) || line.revision <= journal.revision)
      problems.push(`revision ${line.revision} was acknowledged, and it was there before`);
    journal.acknowledgements++;
    journal.newest = Math.max(journal.newest, line.revision);
    journal.acknowledged.set(line.revision, tried ?? []);
  }
  return problems;
}

const fingerprint = (writes: readonly Write[]): string =>
  JSON.stringify(writes.map(({ key, token }) => [key, token ?? null]).sort());

/** Deleting what is not there changes nothing, and shows in no history. */
const effective = (state: ReadonlyMap<string, Held>, writes: readonly Write[]): readonly Write[] =>
  writes.filter(({ key, token }) => token !== undefined || state.has(key));

/**
 * What is wrong with a store, as sentences. What was in doubt and is there becomes part of the journal: the next round
 * starts from what is.
 */
export function judge(journal: Journal, shown: Shown): string[] {
  const problems = [...judgeRevisions(journal, shown), ...judgePast(journal, shown)];
  const { inDoubt, state } = journal;
  const doubts = new Map([...inDoubt].map(([writer, writes]) => [writer, writes]));
  for (const [revision, writes] of shown.history) {
    if (revision <= journal.revision) continue;
    const tried = journal.acknowledged.get(revision) ?? takeDoubt(doubts, state, writes);
    if (tried === undefined)
      problems.push(`revision ${revision} holds ${fingerprint(writes)}: nobody wrote it`);
    else if (fingerprint(effective(state, tried)) !== fingerprint(writes))
      problems.push(
        `revision ${revision} holds ${fingerprint(writes)}, written was ${fingerprint(effective(state, tried))}`,
      );
    for (const { key, after } of tried ?? [])
      if (after !== undefined && after !== (state.get(key)?.revision ?? 0))
        problems.push(
          `${key} at revision ${revision} compared with ${after}, it was at ${state.get(key)?.revision ?? 0}`,
        );
    apply(state, revision, writes);
  }
  problems.push(...judgeValues(state, shown.held));
  journal.past = new Map([...shown.history].map(([revision, writes]) => [revision, fingerprint(writes)]));
  journal.revision = shown.revision;
  journal.acknowledged = new Map();
  inDoubt.clear();
  return problems;
}

function judgeRevisions(journal: Journal, { revision, compactedRevision, history }: Shown): string[] {
  const problems: string[] = [];
  if (revision < journal.newest)
    problems.push(`the store is at ${revision}, ${journal.newest} was acknowledged`);
  if (revision < journal.revision)
    problems.push(`the store is at ${revision}, it was at ${journal.revision}`);
  if (compactedRevision > journal.revision)
    problems.push(`the store is compacted to ${compactedRevision}, newer than ${journal.revision}`);
  let expected = Math.max(2, compactedRevision + 1);
  for (const seen of history.keys()) {
    if (seen !== expected) problems.push(`the history has ${seen} where ${expected} is due`);
    expected = seen + 1;
  }
  if (expected !== Math.max(revision, compactedRevision) + 1)
    problems.push(`the history ends before ${expected}, the store is at ${revision}`);
  for (const acknowledged of journal.acknowledged.keys())
    if (!history.has(acknowledged))
      problems.push(`revision ${acknowledged} was acknowledged and is not in the history`);
  return problems;
}

function judgePast(journal: Journal, { history }: Shown): string[] {
  const problems: string[] = [];
  for (const [revision, writes] of history) {
    const before = journal.past.get(revision);
    if (before !== undefined && before !== fingerprint(writes))
      problems.push(`revision ${revision} holds ${fingerprint(writes)}, it held ${before}`);
  }
  return problems;
}

/** Finds the try in doubt that this is, and takes it: it can have happened once. */
function takeDoubt(
  doubts: Map<number, readonly Write[]>,
  state: ReadonlyMap<string, Held>,
  writes: readonly Write[],
): readonly Write[] | undefined {
  const wanted = fingerprint(writes);
  for (const [writer, tried] of doubts) {
    if (fingerprint(effective(state, tried)) !== wanted) continue;
    doubts.delete(writer);
    return tried;
  }
  return undefined;
}

function apply(state: Map<string, Held>, revision: number, writes: readonly Write[]): void {
  for (const { key, token } of writes) {
    if (token === undefined) state.delete(key);
    else state.set(key, { token, revision });
  }
}

function judgeValues(expected: ReadonlyMap<string, Held>, held: ReadonlyMap<string, Held>): string[] {
  const problems: string[] = [];
  const show = (one: Held | undefined): string =>
    one === undefined ? "nothing" : `${one.token} of revision ${one.revision}`;
  for (const key of new Set([...expected.keys(), ...held.keys()]))
    if (show(expected.get(key)) !== show(held.get(key)))
      problems.push(`${key} holds ${show(held.get(key))}, its history says ${show(expected.get(key))}`);
  return problems;
}
