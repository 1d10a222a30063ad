// Lays an applied configuration over the live object: fields that it names win, keyed lists and sets are joined item
// by item, everything else of the live object stays. The result shares values with both and is not to be changed.

import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import {
  itemsOf,
  memberOf,
  settle,
  storedElement,
  type KeyedShape,
  type SetShape,
  type Shape,
} from "./shape.ts";

export function merge(given: Shape, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  const shape = settle(given, config);
  if (live === undefined || live === null || config === null || shape.as === "leaf") return config;
  if (shape.as === "struct" || shape.as === "map") {
    if (!isObject(live) || !isObject(config)) return config;
    const out: JsonObject = { ...live };
    for (const name of Object.keys(config)) {
      const before = Object.hasOwn(live, name) ? live[name] : undefined;
      setOwn(out, name, merge(memberOf(shape, name).shape, before, config[name]));
    }
    return out;
  }
  if (!Array.isArray(live) || !Array.isArray(config)) return config;
  return mergeItems(shape, live, config);
}

/** Items that only the live list has stay before the shared item they stood before; applied items keep their order. */
function mergeItems(
  shape: SetShape | KeyedShape,
  live: readonly unknown[],
  config: readonly unknown[],
): unknown[] {
  const applied = config.map((item) => ({ element: storedElement(shape, item), item }));
  const wanted = new Set(applied.map(({ element }) => element));
  const stored = itemsOf(shape, live);
  const out: unknown[] = [];
  let at = 0;
  /** Takes over what only the live list has, up to the shared item `until`. */
  const takeLive = (until: string | undefined): void => {
    for (; at < live.length; at++) {
      const element = storedElement(shape, live[at]);
      if (element === until) return;
      if (!wanted.has(element)) out.push(live[at]);
    }
  };
  const shared = applied.filter(({ element }) => stored.has(element)).map(({ element }) => element);
  let nextShared = 0;
  for (const { element, item } of applied) {
    takeLive(shared[nextShared]);
    const were = stored.get(element) ?? [];
    out.push(were.length === 1 ? merge(shape.item, were[0], item) : item);
    if (element === shared[nextShared]) {
      nextShared++;
      if (at < live.length && storedElement(shape, live[at]) === element) at++;
    }
  }
  takeLive(undefined);
  return out;
}
