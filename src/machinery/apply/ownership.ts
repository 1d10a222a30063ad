// Who owns what after a write. An update takes over the fields that it changes; an apply takes over the fields that
// its configuration names, gives back those that it no longer names, and may not change what others own unless forced.

import { isObject, type JsonObject } from "../json-object.ts";
import { appliedSet, withStructs } from "./applied-set.ts";
import { compare, type Comparison } from "./compare.ts";
import { sameJson } from "./equal.ts";
import {
  difference,
  has,
  intersection,
  isEmpty,
  pathsOf,
  sameSet,
  setOf,
  union,
  type FieldSet,
  type Path,
} from "./field-set.ts";
import {
  capEntries,
  ownable,
  sameIdentity,
  withFields,
  type ManagedEntries,
  type ManagedEntry,
  type Writer,
} from "./managed-entries.ts";
import { merge } from "./merge.ts";
import { removeItems } from "./remove.ts";
import type { Shape } from "./shape.ts";

/** Owns everything that was there before the first apply, when nothing had been recorded until then. */
const beforeFirstApply = "before-first-apply";
export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** The manager whose applies continue what client-side apply began. */
const kubectl = "kubectl";

export interface Update {
  readonly entries: ManagedEntries;
  readonly comparison: Comparison;
  readonly writer: Writer;
}

/** After a create, update or patch. Gives back the same entries when nothing changed. */
export function afterUpdate({ entries, comparison, writer }: Update): ManagedEntries {
  const { removed } = comparison;
  const taken = union(comparison.added, comparison.modified);
  if (isEmpty(taken) && isEmpty(removed)) return entries;
  const self = entries.find((entry) => sameIdentity(entry, writer));
  const left: ManagedEntry[] = [];
  for (const entry of entries) {
    const fields = difference(entry === self ? entry.fields : difference(entry.fields, taken), removed);
    if (entry === self && !isEmpty(taken)) left.push({ ...writer, fields: union(fields, taken) });
    else if (!isEmpty(fields)) left.push(fields === entry.fields ? entry : withFields(entry, fields));
  }
  if (self === undefined && !isEmpty(taken)) left.push({ ...writer, fields: taken });
  return capEntries(left);
}

/** The configuration does not fit the schema. */
export class AppliedSchemaError extends Error {
  override name = "AppliedSchemaError";
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    super(errors.join("; "));
    this.errors = errors;
  }
}

export interface Conflict {
  readonly owner: ManagedEntry;
  readonly path: Path;
}

export class ApplyConflict extends Error {
  override name = "ApplyConflict";
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(`${conflicts.length} conflicts`);
    this.conflicts = conflicts;
  }
}

export interface Apply {
  readonly shape: Shape;
  readonly live: unknown;
  readonly config: JsonObject;
  readonly entries: ManagedEntries;
  readonly writer: Writer;
  readonly force: boolean;
  /** Paths that do not count. */
  readonly ignored: FieldSet;
  /** The object before anything is set, as a create starts from. */
  readonly zero: unknown;
}

export interface ApplyOutcome {
  /** The live object with the configuration laid over it; not yet decoded. */
  readonly object: unknown;
  readonly entries: ManagedEntries;
}

export function apply(given: Apply): ApplyOutcome {
  const entries = given.entries.length === 0 ? ownedBefore(given) : given.entries;
  const { set, errors } = appliedSet(given.shape, given.config, given.ignored);
  if (errors.length > 0) throw new AppliedSchemaError(errors);
  const settled = settleApply(given, entries, ownable(set));
  const { conflicts } = settled;
  if (conflicts.length > 0 && !given.force) {
    const left = given.writer.manager === kubectl ? notInLastApplied(given, conflicts) : conflicts;
    if (left.length > 0) throw new ApplyConflict(left);
  }
  return { object: settled.object, entries: settled.entries };
}

/** Everything that a live object without entries has belongs to whoever made it. */
function ownedBefore({ shape, zero, live, ignored, writer }: Apply): ManagedEntries {
  const { added, modified } = compare(shape, zero, live, ignored);
  const fields = ownable(union(added, modified));
  if (isEmpty(fields)) return [];
  return [{ ...writer, manager: beforeFirstApply, operation: "Update", subresource: "", fields }];
}

interface Settled extends ApplyOutcome {
  readonly conflicts: readonly Conflict[];
}

/** Lays the configuration over the object as if forced, and tells what that took from others. */
function settleApply(given: Apply, entries: ManagedEntries, set: FieldSet): Settled {
  const { shape, live, config, writer, ignored } = given;
  const last = entries.find((entry) => sameIdentity(entry, writer));
  const others = entries.filter((entry) => entry !== last);
  const merged = merge(shape, live, config);
  const object =
    last === undefined
      ? merged
      : prune(shape, merged, last.fields, [set, ...others.map((entry) => entry.fields)]);
  const { added, modified, removed } = compare(shape, live, object, ignored);
  const changed = union(added, modified);

  const conflicts: Conflict[] = [];
  const left: ManagedEntry[] = [];
  for (const entry of others) {
    const taken = intersection(entry.fields, changed);
    for (const path of pathsOf(taken)) conflicts.push({ owner: entry, path });
    const fields = difference(difference(entry.fields, taken), removed);
    if (!isEmpty(fields)) left.push(fields === entry.fields ? entry : withFields(entry, fields));
  }
  if (!isEmpty(set)) {
    const same =
      last?.apiVersion === writer.apiVersion && sameSet(last.fields, set) && sameJson(live, object);
    left.push(same ? last : { ...writer, fields: set });
  }
  return { object, entries: left, conflicts };
}

/** Nobody owns an object's metadata as such, but it stays. */
const always = setOf(["f:metadata"]);

/** Takes away what the manager applied last time, no longer applies, and nobody else owns. */
function prune(shape: Shape, merged: unknown, last: FieldSet, kept: readonly FieldSet[]): unknown {
  const keep = kept.reduce(union, always);
  return removeItems(shape, merged, difference(withStructs(shape, last), withStructs(shape, keep)));
}

/**
 * Conflicts over fields that client-side apply had set, and that are still as it set them, are no conflicts for
 * kubectl: it is the same user who now applies on the server.
 */
function notInLastApplied(given: Apply, conflicts: readonly Conflict[]): readonly Conflict[] {
  const { shape, live, ignored } = given;
  const config = lastApplied(live);
  if (config === undefined || config["apiVersion"] !== given.writer.apiVersion) return conflicts;
  const { set, errors } = appliedSet(shape, config, ignored);
  if (errors.length > 0) return conflicts;
  const { added, modified, removed } = compare(shape, config, live, ignored);
  const still = difference(difference(difference(set, modified), added), removed);
  return conflicts.filter(({ path }) => !has(still, path));
}

function annotationsOf(object: unknown): JsonObject | undefined {
  const metadata = isObject(object) ? object["metadata"] : undefined;
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  return isObject(annotations) ? annotations : undefined;
}

/** The configuration that client-side apply left in the object. */
function lastApplied(object: unknown): JsonObject | undefined {
  const text = annotationsOf(object)?.[lastAppliedAnnotation];
  if (typeof text !== "string") return undefined;
  try {
    const config: unknown = JSON.parse(text);
    return isObject(config) ? config : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
