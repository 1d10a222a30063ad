// What a writer said it tried and what the store acknowledged, and what a store must hold after the writer was killed.
// Each writer has keys of its own and one transaction at a time: of each writer at most the last try is in doubt. Pure.

/** A value that no other write has, or nothing for a deletion. */
export interface Write {
  readonly key: string;
  readonly token?: string;
}

export type JournalLine =
  | { readonly kind: "try"; readonly writer: number; readonly writes: readonly Write[] }
  | { readonly kind: "ack"; readonly writer: number; readonly revision: number; readonly token: string };

export interface Applied {
  readonly revision: number;
  readonly writes: readonly Write[];
}

export interface Journal {
  /** Key → the token of its last acknowledged write; missing: deleted, or never written. */
  readonly state: Map<string, string>;
  /** How many transactions were acknowledged in all. */
  acknowledgements: number;
  /** The newest revision that was acknowledged. */
  newest: number;
  /** Every acknowledged transaction that the history may still show. */
  acknowledged: Applied[];
  /** Per writer: what was tried and not acknowledged. */
  readonly inDoubt: Map<number, readonly Write[]>;
}

export const emptyJournal = (): Journal => ({
  state: new Map(),
  acknowledgements: 0,
  newest: 0,
  acknowledged: [],
  inDoubt: new Map(),
});

function applyTo(state: Map<string, string>, writes: readonly Write[]): void {
  for (const { key, token } of writes) {
    if (token === undefined) state.delete(key);
    else state.set(key, token);
  }
}

/** Adds a writer's lines; a last line that was cut off is none. */
export function readJournal(journal: Journal, text: string): void {
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  for (const row of complete.split("\n")) {
    if (row === "") continue;
    const line = JSON.parse(row) as JournalLine;
    if (line.kind === "try") journal.inDoubt.set(line.writer, line.writes);
    else {
      const writes = journal.inDoubt.get(line.writer) ?? [];
      journal.inDoubt.delete(line.writer);
      // Deleting what is not there changes nothing, and shows in no history.
      const effective = writes.filter(({ key, token }) => token !== undefined || journal.state.has(key));
      journal.acknowledgements++;
      journal.newest = Math.max(journal.newest, line.revision);
      journal.acknowledged.push({ revision: line.revision, writes: effective });
      applyTo(journal.state, writes);
    }
  }
}

/** A key as a store that was opened again has it. */
export interface Held {
  readonly token: string;
  readonly revision: number;
}

/**
 * What is wrong with the store's contents, as sentences. Transactions in doubt must be there as a whole or not at all;
 * those that are become part of the journal, so that the next round starts from what is.
 */
export function settle(journal: Journal, held: ReadonlyMap<string, Held>): string[] {
  const problems: string[] = [];
  for (const [writer, writes] of journal.inDoubt) {
    const there = writes.map(({ key, token }) => held.get(key)?.token === token);
    const before = writes.map(({ key }) => held.get(key)?.token === journal.state.get(key));
    const differs = writes.some(({ key, token }) => journal.state.get(key) !== token);
    if (there.every(Boolean) && differs) {
      const revisions = new Set(
        writes.filter(({ token }) => token !== undefined).map(({ key }) => held.get(key)?.revision),
      );
      if (revisions.size > 1) problems.push(`writer ${writer}: one transaction has several revisions`);
      applyTo(journal.state, writes);
    } else if (!before.every(Boolean))
      problems.push(`writer ${writer}: half of a transaction is there: ${JSON.stringify(writes)}`);
  }
  journal.inDoubt.clear();
  for (const [key, token] of journal.state)
    if (held.get(key)?.token !== token)
      problems.push(`${key} holds ${held.get(key)?.token ?? "nothing"}, acknowledged was ${token}`);
  for (const [key, { token }] of held)
    if (!journal.state.has(key)) problems.push(`${key} holds ${token}, and nobody wrote it`);
  return problems;
}

/** What is wrong with the history that a watch replays, against what was acknowledged. */
export function checkHistory(journal: Journal, history: ReadonlyMap<number, readonly Write[]>): string[] {
  const problems: string[] = [];
  const revisions = [...history.keys()];
  for (const [index, revision] of revisions.entries()) {
    const next = revisions[index + 1];
    if (next !== undefined && next !== revision + 1)
      problems.push(`after revision ${revision} comes ${next}`);
  }
  const [first = Infinity] = revisions;
  // What is compacted is asked for no more, now or later.
  journal.acknowledged = journal.acknowledged.filter(({ revision }) => revision >= first);
  const key = (writes: readonly Write[]): string =>
    JSON.stringify(writes.map((write) => [write.key, write.token ?? null]).sort());
  for (const { revision, writes } of journal.acknowledged) {
    const seen = history.get(revision);
    if (seen === undefined) problems.push(`acknowledged revision ${revision} is not in the history`);
    else if (key(seen) !== key(writes))
      problems.push(`revision ${revision} holds ${key(seen)}, acknowledged was ${key(writes)}`);
  }
  return problems;
}
