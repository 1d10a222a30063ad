// Who owns what after a write. An update takes over the fields that it changes; an apply takes over the fields that
// its configuration names, gives back those that it no longer names, and may not change what others own unless forced.

import { isObject, type JsonObject } from "../json-object.ts";
import { appliedSet, withStructs } from "./applied-set.ts";
import { compare, type Comparison } from "./compare.ts";
import { sameJson } from "./equal.ts";
import {
  difference,
  emptySet,
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
import { compareVersions, fitToShape, type Compared, type VersionView, type Versions } from "./versions.ts";

/** Owns everything that was there before the first apply, when nothing had been recorded until then. */
const beforeFirstApply = "before-first-apply";
export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** The manager whose applies continue what client-side apply began. */
const kubectl = "kubectl";

export interface Update {
  readonly entries: ManagedEntries;
  readonly compared: Compared;
  readonly writer: Writer;
}

export const changesNothing = ({ added, modified, removed }: Comparison): boolean =>
  isEmpty(added) && isEmpty(modified) && isEmpty(removed);

const changedBy = ({ added, modified }: Comparison): FieldSet => union(added, modified);

/** After a create, update or patch. Gives back the same entries when nothing changed. */
export function afterUpdate({ entries, compared, writer }: Update): ManagedEntries {
  if (changesNothing(compared.here)) return entries;
  const taken = changedBy(compared.here);
  const self = entries.find((entry) => sameIdentity(entry, writer));
  const left: ManagedEntry[] = [];
  for (const entry of entries) {
    const there = compared.at(entry.apiVersion);
    if (there === undefined) continue;
    const kept = entry === self ? entry.fields : difference(entry.fields, changedBy(there));
    const fields = difference(kept, there.removed);
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
  readonly versions?: Versions;
}

export interface ApplyOutcome {
  /** The live object with the configuration laid over it; not yet decoded. */
  readonly object: unknown;
  readonly entries: ManagedEntries;
}

export function apply(given: Apply): ApplyOutcome {
  const entries = given.entries.length === 0 ? ownedBefore(given) : fitEntries(given);
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

function fitEntries({ entries, shape, writer, versions }: Apply): ManagedEntries {
  return entries.map((entry) => {
    const there = entry.apiVersion === writer.apiVersion ? shape : versions?.(entry.apiVersion)?.shape;
    const fields = there === undefined ? entry.fields : fitToShape(there, entry.fields);
    return fields === entry.fields ? entry : withFields(entry, fields);
  });
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
    last === undefined ? merged : prune(given, merged, last, [...others, { ...writer, fields: set }]);
  const compared = compareVersions(
    { apiVersion: writer.apiVersion, shape, ignored },
    live,
    object,
    given.versions,
  );

  const conflicts: Conflict[] = [];
  const left: ManagedEntry[] = [];
  for (const entry of others) {
    const there = compared.at(entry.apiVersion);
    if (there === undefined) continue;
    const taken = intersection(entry.fields, changedBy(there));
    for (const path of pathsOf(taken)) conflicts.push({ owner: entry, path });
    const fields = difference(difference(entry.fields, taken), there.removed);
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
function prune(given: Apply, merged: unknown, last: ManagedEntry, owners: ManagedEntries): unknown {
  const { shape, writer, versions } = given;
  const same: VersionView = { shape, from: (object) => object, to: (object) => object };
  const viewOf = (apiVersion: string): VersionView | undefined =>
    versions === undefined || apiVersion === writer.apiVersion ? same : versions(apiVersion);
  const keptIn = (view: VersionView, of: readonly ManagedEntry[]): FieldSet =>
    withStructs(view.shape, of.map(({ fields }) => fields).reduce(union, always));

  const view = viewOf(last.apiVersion);
  if (view === undefined) return merged;
  const [here, elsewhere] = byVersion(owners, versions === undefined ? undefined : last.apiVersion);
  const remove = difference(withStructs(view.shape, last.fields), keptIn(view, here));
  let pruned = view.to(removeItems(view.shape, view.from(merged), remove));
  // What somebody owns in another version is given back there.
  for (const [apiVersion, entries] of elsewhere) {
    const there = viewOf(apiVersion);
    if (there === undefined) continue;
    const whole = there.from(merged);
    const { removed } = compare(there.shape, whole, there.from(pruned), emptySet);
    const kept = keptIn(there, entries);
    if (!isEmpty(intersection(removed, kept)))
      pruned = there.to(removeItems(there.shape, whole, difference(removed, kept)));
  }
  return pruned;
}

/** The entries of one version, and the others by theirs. Without a version there is but one. */
function byVersion(
  entries: ManagedEntries,
  apiVersion: string | undefined,
): readonly [readonly ManagedEntry[], ReadonlyMap<string, readonly ManagedEntry[]>] {
  if (apiVersion === undefined) return [entries, new Map()];
  const elsewhere = Map.groupBy(entries, (entry) => entry.apiVersion);
  const here = elsewhere.get(apiVersion) ?? [];
  elsewhere.delete(apiVersion);
  return [here, elsewhere];
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
