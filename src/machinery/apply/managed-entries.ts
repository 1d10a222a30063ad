// metadata.managedFields as data: one entry for each manager, operation, version and subresource, with the set of
// fields that it owns. What the server stored is trusted; what a client sent is checked and brought into one form.

import { isObject } from "../json-object.ts";
import {
  decodeFields,
  difference,
  FieldsError,
  isEmpty,
  sameSet,
  setOf,
  union,
  type FieldSet,
} from "./field-set.ts";

export type Operation = "Apply" | "Update";

export interface ManagedEntry {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  /** RFC 3339 with seconds. */
  readonly time: string | undefined;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly fields: FieldSet;
}

/** Who writes, how, and when. */
export type Writer = Omit<ManagedEntry, "fields" | "time"> & { readonly time: string };

export type ManagedEntries = readonly ManagedEntry[];
export const noEntries: ManagedEntries = [];

/** Update entries beyond these are joined, the oldest first. */
const updateEntriesMax = 10;
const ancientChanges = "ancient-changes";

const serverOwned = [
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
];

/** Fields that nobody owns: the server sets them. */
export const unowned: FieldSet = setOf(
  ["f:apiVersion"],
  ["f:kind"],
  ...[...serverOwned, "managedFields", "resourceVersion"].map((name) => ["f:metadata", `f:${name}`]),
);
const unownedWithMetadata = setOf(["f:metadata"]);

/** A set without what nobody owns. */
export const ownable = (set: FieldSet): FieldSet => difference(difference(set, unowned), unownedWithMetadata);

/** An applier stays the same one when it begins to apply another version. */
export const sameIdentity = (a: Omit<ManagedEntry, "fields" | "time">, b: typeof a): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === "Apply" || a.apiVersion === b.apiVersion);

interface Encoded {
  readonly manager?: unknown;
  readonly operation?: unknown;
  readonly apiVersion?: unknown;
  readonly time?: unknown;
  readonly fieldsType?: unknown;
  readonly fieldsV1?: unknown;
  readonly subresource?: unknown;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

// How entries stand in the text. Inside a JSON string quotes are escaped, and FieldsV1 holds no lists: these marks
// are found nowhere else, so a text is cut into its entries without being parsed.
const entryStart = `},{"manager":`;
const fieldsMark = `,"fieldsType":"FieldsV1","fieldsV1":`;
const subresourceMark = `,"subresource":"`;

/** Entries of the text that this server has made. Their sets are parsed when asked for. */
export function readStored(text: string): ManagedEntries {
  const cuts = text.slice(1, -1).split(entryStart);
  return cuts.map((cut, at) => {
    const start = at === 0 ? "" : entryStart.slice(2);
    const end = at === cuts.length - 1 ? "" : "}";
    return new StoredEntry(`${start}${cut}${end}`);
  });
}

/** An entry as it stands in the text, so that one that does not change is written as it was. */
class StoredEntry implements ManagedEntry {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly time: string | undefined;
  readonly subresource: string;
  readonly text: string;
  readonly #fields: string;
  #set: FieldSet | undefined;

  constructor(text: string) {
    const fieldsAt = text.indexOf(fieldsMark);
    const from = fieldsAt + fieldsMark.length;
    const last = text.lastIndexOf(subresourceMark);
    const to = last < from ? text.length - 1 : last;
    const head = JSON.parse(text.slice(0, fieldsAt) + text.slice(to)) as Encoded;
    this.text = text;
    this.manager = textOf(head.manager);
    this.operation = head.operation as Operation;
    this.apiVersion = textOf(head.apiVersion);
    this.time = head.time === undefined ? undefined : textOf(head.time);
    this.subresource = textOf(head.subresource);
    this.#fields = text.slice(from, to);
  }

  get fields(): FieldSet {
    this.#set ??= parsedSet(this.#fields);
    return this.#set;
  }
}

/** Objects of one kind and origin have the same sets: these many are kept, each with its text. */
const knownSetsMax = 1024;
const knownSets = new Map<string, FieldSet>();
const knownTexts = new WeakMap<FieldSet, string>();

function parsedSet(json: string): FieldSet {
  const known = knownSets.get(json);
  if (known !== undefined) return known;
  const set = JSON.parse(json) as FieldSet;
  remember(json, set);
  return set;
}

function remember(json: string, set: FieldSet): void {
  if (knownSets.size >= knownSetsMax) knownSets.clear();
  knownSets.set(json, set);
  knownTexts.set(set, json);
}

function setText(set: FieldSet): string {
  const known = knownTexts.get(set);
  if (known !== undefined) return known;
  const json = JSON.stringify(set);
  remember(json, set);
  return json;
}

/** A list with one empty entry asks for all entries to be dropped. An empty list asks for nothing. */
export const asksForReset = (given: unknown): boolean =>
  Array.isArray(given) &&
  given.length === 1 &&
  isObject(given[0]) &&
  Object.values(given[0]).every((value) => value === "" || value === null || value === undefined);

/** The entries of a client's metadata.managedFields; undefined when they are unusable, and the stored ones stay. */
export function readGiven(given: unknown): ManagedEntries | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  const entries: ManagedEntry[] = [];
  for (const raw of given as unknown[]) {
    const entry = readGivenEntry(raw);
    if (entry === undefined) return undefined;
    const at = entries.findIndex((other) => sameIdentity(other, entry));
    if (at >= 0) entries[at] = entry;
    else entries.push(entry);
  }
  return entries.filter((entry) => !isEmpty(entry.fields));
}

function readGivenEntry(raw: unknown): ManagedEntry | undefined {
  if (!isObject(raw)) return undefined;
  const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } = raw as Encoded;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
  try {
    return {
      manager: textOf(manager),
      operation,
      apiVersion,
      time: typeof time === "string" ? time : undefined,
      subresource: textOf(subresource),
      fields: ownable(decodeFields(fieldsV1 ?? {})),
    };
  } catch (error) {
    if (error instanceof FieldsError) return undefined;
    throw error;
  }
}

/** The same entry owning other fields. */
export const withFields = (entry: ManagedEntry, fields: FieldSet): ManagedEntry => ({
  manager: entry.manager,
  operation: entry.operation,
  apiVersion: entry.apiVersion,
  time: entry.time,
  subresource: entry.subresource,
  fields,
});

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const compareEntries = (a: ManagedEntry, b: ManagedEntry): number =>
  compareText(a.operation, b.operation) ||
  compareText(a.time ?? "", b.time ?? "") ||
  compareText(a.manager, b.manager) ||
  compareText(a.apiVersion, b.apiVersion) ||
  compareText(a.subresource, b.subresource);

/** The JSON of metadata.managedFields; "" when there are no entries. */
export function writeEntries(entries: ManagedEntries): string {
  if (entries.length === 0) return "";
  return `[${[...entries].sort(compareEntries).map(entryText).join(",")}]`;
}

function entryText(entry: ManagedEntry): string {
  if (entry instanceof StoredEntry) return entry.text;
  const { manager, operation, apiVersion, time, fields, subresource } = entry;
  const head = JSON.stringify({ manager, operation, apiVersion, ...(time === undefined ? {} : { time }) });
  const tail = subresource === "" ? "" : `${subresourceMark.slice(0, -1)}${JSON.stringify(subresource)}`;
  return `${head.slice(0, -1)}${fieldsMark}${setText(fields)}${tail}}`;
}

/** Whether the entries differ at most in their times. */
export function sameButTimes(a: ManagedEntries, b: ManagedEntries): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  return a.every((entry) => {
    const other = b.find((candidate) => sameIdentity(entry, candidate));
    return other?.apiVersion === entry.apiVersion && sameSet(entry.fields, other.fields);
  });
}

/** Joins the oldest Update entries of each version until there are few enough. */
export function capEntries(entries: ManagedEntries): ManagedEntries {
  const updates = entries.filter((entry) => entry.operation === "Update");
  if (updates.length <= updateEntriesMax) return entries;
  const oldestFirst = [...updates].sort(
    (a, b) => compareText(a.time ?? "", b.time ?? "") || compareText(a.manager, b.manager),
  );
  let left: ManagedEntries = entries;
  let count = updates.length;
  const firstOf = new Map<string, ManagedEntry>();
  for (const entry of oldestFirst) {
    if (count <= updateEntriesMax) break;
    const first = firstOf.get(entry.apiVersion);
    if (first === undefined) {
      firstOf.set(entry.apiVersion, entry);
      continue;
    }
    const { operation, apiVersion, time } = entry;
    const bucketId = { manager: ancientChanges, operation, apiVersion, time, subresource: "" };
    const bucket = left.find((candidate) => sameIdentity(candidate, bucketId)) ?? first;
    const joined = { ...bucketId, fields: union(bucket.fields, entry.fields) };
    left = [...left.filter((other) => other !== bucket && other !== entry), joined];
    if (bucket === first) firstOf.set(entry.apiVersion, joined);
    count--;
  }
  return left;
}
