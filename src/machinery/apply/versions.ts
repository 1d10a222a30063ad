// The same object in other versions of its kind. Every manager's fields are those of the version that it wrote, so
// what a change did to them is asked in that version.

import { compare, type Comparison } from "./compare.ts";
import { emptySet, isEmpty, nodeOf, type Child, type FieldSet } from "./field-set.ts";
import { deduced, type Shape } from "./shape.ts";

/** One version, seen from the version that is being written. */
export interface VersionView {
  readonly shape: Shape;
  from(object: unknown): unknown;
  to(object: unknown): unknown;
}

/** Undefined for a version that is served no longer: nobody can be asked about its fields, so nobody owns them. */
export type Versions = (apiVersion: string) => VersionView | undefined;

export interface Compared {
  /** In the version that is being written. */
  readonly here: Comparison;
  at(apiVersion: string): Comparison | undefined;
}

/** Without `versions` the fields of all versions have the same names. */
export function compareVersions(
  written: { readonly apiVersion: string; readonly shape: Shape; readonly ignored: FieldSet },
  before: unknown,
  after: unknown,
  versions: Versions | undefined,
): Compared {
  const here = compare(written.shape, before, after, written.ignored);
  const known = new Map<string, Comparison | undefined>([[written.apiVersion, here]]);
  return {
    here,
    at(apiVersion) {
      if (versions === undefined || known.has(apiVersion)) return known.get(apiVersion) ?? here;
      const view = versions(apiVersion);
      if (view === undefined) return undefined;
      const there = compare(view.shape, view.from(before), view.from(after), written.ignored);
      known.set(apiVersion, there);
      return there;
    },
  };
}

/** A schema may have made a whole of what was owned in parts: then who owned a part owns the whole. */
export function fitToShape(shape: Shape, set: FieldSet): FieldSet {
  const children: Child[] = [];
  let same = true;
  for (const element in set) {
    if (element === ".") continue;
    const node = set[element] as FieldSet;
    const inner = below(shape, element);
    const fitted = inner.as === "leaf" && !isEmpty(node) ? emptySet : fitToShape(inner, node);
    if (fitted !== node) same = false;
    children.push([element, fitted]);
  }
  return same ? set : nodeOf(set["."] !== undefined, children);
}

function below(shape: Shape, element: string): Shape {
  switch (shape.as) {
    case "struct":
      return shape.field(element.slice(2))?.shape ?? shape.other ?? deduced;
    case "map":
      return shape.value;
    case "set":
    case "keyed":
      return shape.item;
    default:
      return deduced;
  }
}
