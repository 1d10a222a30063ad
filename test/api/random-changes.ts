// Random changes to objects, from a seed: places left out, doubled, or made odd.

import { seededRandom } from "#base/random.ts";

const random = seededRandom(20_160_101);
export const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)] as T;
export const odd: readonly unknown[] = [
  ...[null, -1, 0, 1.5, 1e308, 2 ** 40, 65_536, "", " ", "x", "x".repeat(300), "é", "\u0000", "a/b", ".."],
  ...[[], {}, true, [null], [{}], { a: null }, ["a", "a"], "1Gi", "-5", "None", "8080"],
  JSON.parse('{"__proto__":{"a":1}}'),
];

type Path = readonly string[];
type Container = Record<string, unknown>;

export function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  const inner = Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...at, key]));
  return at.length === 0 ? inner : [at, ...inner];
}

/** Up to two places of the object left out, doubled or made odd. */
export function changed(object: object): object {
  const copy = structuredClone(object);
  for (let left = random.integer(3); left > 0; left--) {
    const path = pick(pathsOf(copy));
    if (path === undefined) break;
    const key = path.at(-1) as string;
    const parent = path.slice(0, -1).reduce<unknown>((at, step) => (at as Container)[step], copy);
    if (typeof parent !== "object" || parent === null) continue;
    const way = random.integer(4);
    if (way === 0) delete (parent as Container)[key];
    else if (way === 1 && Array.isArray(parent)) parent.push(structuredClone(parent[Number(key)]));
    else (parent as Container)[key] = structuredClone(pick(odd));
  }
  return JSON.parse(JSON.stringify(copy)) as object;
}
