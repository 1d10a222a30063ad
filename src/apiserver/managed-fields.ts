// Stage 7 of every write: who owns which field afterwards, as the text of metadata.managedFields.
// A write that changes no field parses and encodes nothing here.

import { timestamp } from "#base/clock.ts";
import { conflictCauses, conflictMessage } from "#machinery/apply/conflict-text.ts";
import { appliedSet, errorsText } from "#machinery/apply/applied-set.ts";
import { setOf, union, type FieldSet } from "#machinery/apply/field-set.ts";
import {
  asksForReset,
  noEntries,
  readGiven,
  readStored,
  sameButTimes,
  unowned,
  writeEntries,
  type ManagedEntries,
  type Operation,
  type Writer,
} from "#machinery/apply/managed-entries.ts";
import { managerOfUserAgent } from "#machinery/apply/manager-name.ts";
import {
  afterUpdate,
  apply,
  ApplyConflict,
  AppliedSchemaError,
  changesNothing,
} from "#machinery/apply/ownership.ts";
import { fieldElement } from "#machinery/apply/path-element.ts";
import { deduced, shapeOf, type Shape } from "#machinery/apply/shape.ts";
import { compareVersions, type Versions } from "#machinery/apply/versions.ts";
import { schemaOf, type ResourceDefinition } from "#machinery/define-resource.ts";
import type { JsonObject } from "#machinery/json-object.ts";
import { apiVersionOf, parseApiVersion, type GroupVersionKind, type KubeObject } from "#machinery/meta.ts";
import { decodeObject } from "#machinery/schema/decode.ts";
import { failure, type ApiError } from "#machinery/status.ts";
import type { ResourceContext } from "./context.ts";
import type { CachedObject } from "./stored-object.ts";
import { withConversions, type Convert } from "./versions.ts";

export interface ManagedFields {
  /** The JSON of the list; "" for none. */
  readonly text: string;
  /** The entries are those that are stored, but for their times: alone no reason to write. */
  readonly onlyTimes: boolean;
}

interface Ownership {
  readonly shape: Shape;
  /** What a create is compared with: an object of which nothing is set. */
  readonly zero: JsonObject;
  /** Paths that do not count, by subresource. */
  readonly ignored: Map<string, FieldSet>;
}

const ownerships = new WeakMap<ResourceDefinition, Ownership>();

function ownershipOf(definition: ResourceDefinition): Ownership {
  let known = ownerships.get(definition);
  if (known === undefined) {
    const schema = schemaOf(definition);
    known = {
      shape: schema === undefined ? deduced : shapeOf(schema),
      zero: schema?.decode !== undefined || schema === undefined ? {} : decodeObject(schema, {}).object,
      ignored: new Map(),
    };
    ownerships.set(definition, known);
  }
  return known;
}

function ignoredOf(definition: ResourceDefinition, subresource: string): FieldSet {
  const { ignored } = ownershipOf(definition);
  let known = ignored.get(subresource);
  if (known === undefined) {
    const reset = definition.resetFields[subresource] ?? definition.resetFields[""] ?? [];
    known = union(unowned, setOf(...reset.map((path) => path.split(".").map(fieldElement))));
    ignored.set(subresource, known);
  }
  return known;
}

function writerOf(context: ResourceContext, operation: Operation): Writer {
  const { definition, info, query, request, server } = context;
  return {
    manager: query.get("fieldManager") || managerOfUserAgent(request.headers["user-agent"] ?? ""),
    operation,
    apiVersion: apiVersionOf(definition),
    time: timestamp(server.clock.now()),
    subresource: info.subresource,
  };
}

const storedEntries = (text: string): ManagedEntries => (text === "" ? noEntries : readStored(text));

const outcome = (entries: ManagedEntries, stored: ManagedEntries): ManagedFields => ({
  text: writeEntries(entries),
  onlyTimes: sameButTimes(entries, stored),
});

/** The other versions of a kind that has some, for who wrote in them. */
function versionsOf({ definition, server }: ResourceContext, convert: Convert): Versions | undefined {
  if (definition.conversion === undefined && !server.registry.hasOtherVersions(definition)) return undefined;
  return (apiVersion) => {
    const { group, version } = parseApiVersion(apiVersion);
    const there = server.registry.find(group, version, definition.resource);
    if (there === undefined) return undefined;
    return {
      shape: ownershipOf(there).shape,
      from: (object) => convert(definition, there, object),
      to: (object) => convert(there, definition, object),
    };
  };
}

/** A new object, with its defaults and before admission changes it. Entries that its creator sent are kept. */
export function managedByCreate(context: ResourceContext, draft: KubeObject): ManagedFields {
  const { definition } = context;
  const { shape, zero } = ownershipOf(definition);
  const writer = writerOf(context, "Update");
  const written = { apiVersion: writer.apiVersion, shape, ignored: ignoredOf(definition, "") };
  const compared = compareVersions(written, zero, draft, undefined);
  const entries = readGiven(draft.metadata?.managedFields) ?? noEntries;
  return { text: writeEntries(afterUpdate({ entries, compared, writer })), onlyTimes: false };
}

/** `given` is what the client sent as metadata.managedFields: usually nothing, or what it had read. */
export function managedByUpdate(
  context: ResourceContext,
  next: KubeObject,
  old: CachedObject,
  given: unknown,
): ManagedFields | Promise<ManagedFields> {
  return withConversions((convert) => updated(context, next, old, given, versionsOf(context, convert)));
}

function updated(
  context: ResourceContext,
  next: KubeObject,
  old: CachedObject,
  given: unknown,
  versions: Versions | undefined,
): ManagedFields {
  const { definition, info } = context;
  const text = old.managedFields;
  const speaks = given !== undefined && info.subresource === "" && JSON.stringify(given) !== text;
  if (speaks && asksForReset(given)) return { text: "", onlyTimes: false };
  const { shape } = ownershipOf(definition);
  const ignored = ignoredOf(definition, info.subresource);
  const written = { apiVersion: apiVersionOf(definition), shape, ignored };
  const compared = compareVersions(written, old.object, next, versions);
  if (!speaks && (text === "" || changesNothing(compared.here))) return { text, onlyTimes: false };
  const stored = storedEntries(text);
  const entries = (speaks ? readGiven(given) : undefined) ?? stored;
  // What nobody has recorded until now stays so, until the first apply.
  if (entries.length === 0) return { text: "", onlyTimes: false };
  return outcome(afterUpdate({ entries, compared, writer: writerOf(context, "Update") }), stored);
}

export interface Applied {
  /** Not yet decoded. */
  readonly object: unknown;
  readonly managed: ManagedFields;
}

/** Lays a configuration over the live object (undefined: there is none yet). 409 when it conflicts. */
export function applyOver(
  context: ResourceContext,
  old: CachedObject | undefined,
  config: JsonObject,
  force: boolean,
): Applied | Promise<Applied> {
  return withConversions((convert) => applied(context, old, config, force, versionsOf(context, convert)));
}

function applied(
  context: ResourceContext,
  old: CachedObject | undefined,
  config: JsonObject,
  force: boolean,
  versions: Versions | undefined,
): Applied {
  const { definition, info } = context;
  const { shape, zero } = ownershipOf(definition);
  const stored = storedEntries(old?.managedFields ?? "");
  try {
    const { object, entries } = apply({
      shape,
      zero,
      live: old === undefined ? zero : old.object,
      config,
      entries: stored,
      writer: writerOf(context, "Apply"),
      force,
      ignored: ignoredOf(definition, info.subresource),
      ...(versions === undefined ? {} : { versions }),
    });
    return { object, managed: outcome(entries, stored) };
  } catch (error) {
    if (error instanceof ApplyConflict) {
      const { conflicts } = error;
      throw failure(409, "Conflict", conflictMessage(conflicts), { causes: conflictCauses(conflicts) });
    }
    if (error instanceof AppliedSchemaError) throw notTyped(context, definition, error.errors);
    throw error;
  }
}

/** As documented: not a bad request, and without a reason. */
function notTyped(
  { info }: ResourceContext,
  { group, version, kind }: GroupVersionKind,
  errors: readonly string[],
): ApiError {
  const subject = `${info.namespace}/${info.name}; ${group}/${version}, Kind=${kind}`;
  return failure(500, "", `failed to create typed patch object (${subject}): ${errorsText(errors)}`);
}

/** Refuses a configuration of a kind that is not stored itself (a Scale) for fields that the kind does not have. */
export function checkAppliedFields(
  context: ResourceContext,
  config: JsonObject,
  kind: GroupVersionKind,
): void {
  const schema = schemaOf(kind);
  if (schema === undefined) return;
  const { errors } = appliedSet(shapeOf(schema), config, unowned);
  if (errors.length > 0) throw notTyped(context, kind, errors);
}
