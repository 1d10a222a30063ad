// Sets of completion indexes, as a Job's status writes them: `1,3-5,7`. Kept as sorted intervals that do not touch, so
// that a hundred thousand indexes in a row cost as much as one. Pure.

export interface Interval {
  readonly from: number;
  readonly to: number;
}

export type IndexSet = readonly Interval[];

export const noIndexes: IndexSet = [];

/** Reads what a status or a success policy says; what is no interval is left out, and nothing is at or above `below`. */
export function parseIndexes(text: string | undefined, below: number): IndexSet {
  const intervals: Interval[] = [];
  for (const part of (text ?? "").split(",")) {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (found === null) continue;
    const from = Number(found[1]);
    const to = Math.min(Number(found[2] ?? found[1]), below - 1);
    if (from <= to) intervals.push({ from, to });
  }
  return joined(intervals);
}

/** Two in a row are written as two, more as their ends. */
export function formatIndexes(set: IndexSet): string {
  return set
    .map(({ from, to }) => (from === to ? `${from}` : `${from}${to === from + 1 ? "," : "-"}${to}`))
    .join(",");
}

export function countOf(set: IndexSet): number {
  return set.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

export function hasIndex(set: IndexSet, index: number): boolean {
  let [low, high] = [0, set.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const interval = set[middle] as Interval;
    if (index < interval.from) high = middle - 1;
    else if (index > interval.to) low = middle + 1;
    else return true;
  }
  return false;
}

export function withIndexes(set: IndexSet, added: Iterable<number>): IndexSet {
  const more = [...added].map((index) => ({ from: index, to: index }));
  return more.length === 0 ? set : joined([...set, ...more]);
}

/** How many indexes are in both. */
export function countInBoth(one: IndexSet, other: IndexSet): number {
  let count = 0;
  for (let [a, b] = [0, 0]; a < one.length && b < other.length;) {
    const [left, right] = [one[a] as Interval, other[b] as Interval];
    count += Math.max(0, Math.min(left.to, right.to) - Math.max(left.from, right.from) + 1);
    if (left.to < right.to) a++;
    else b++;
  }
  return count;
}

function joined(intervals: readonly Interval[]): IndexSet {
  const sorted = [...intervals].sort((a, b) => a.from - b.from || a.to - b.to);
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}
