// The seam between what is stored and the version that a request speaks. A kind has one stored form; its definitions
// of other versions, and of schemas newer than a stored value, have a `conversion` (machinery/define-resource.ts).
// Reads, lists, watches, writes, patches and applies all come through here:
//
//   stored bytes ── same epoch ──────────────────────────────► the bytes, as they are: nothing is parsed
//              └─── other epoch ── fromStorage ── encoded ───► made once for each version, kept as long as the object
//   a write's outcome ── toStorage ──► stored bytes
//
// So a built-in kind gets a second version with a second definition: the same `storage`, and `conversion:
// converting({ fromStorage, toStorage })`. A conversion may answer later (a webhook); order is kept all the same.

import type { Conversion, ResourceDefinition } from "#machinery/define-resource.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";
import { encodeObject, packValue, type CachedObject, type EncodedObject } from "./stored-object.ts";
import { CacheEvent } from "./watch-cache.ts";

/** Objects that are converted together. */
const batchMax = 500;

/** Kept as long as the stored object is: what one request has converted the next ones share. */
type Views<K extends object, V> = WeakMap<K, WeakMap<ResourceDefinition, V>>;
const views: Views<CachedObject, CachedObject> = new WeakMap();
const eventViews: Views<CacheEvent, CacheEvent> = new WeakMap();

function viewsOf<K extends object, V>(all: Views<K, V>, of: K): WeakMap<ResourceDefinition, V> {
  let found = all.get(of);
  if (found === undefined) all.set(of, (found = new WeakMap<ResourceDefinition, V>()));
  return found;
}

/** The object as this version shows it, if nothing needs to be converted for that, or has been. */
function known(definition: ResourceDefinition, object: CachedObject): CachedObject | undefined {
  if (object.epoch === definition.epoch || definition.conversion === undefined) return object;
  return views.get(object)?.get(definition);
}

function keep(
  definition: ResourceDefinition,
  object: CachedObject,
  converted: KubeObject | undefined,
): CachedObject {
  if (converted === undefined)
    throw new Error(`${object.key} was lost on its way to ${apiVersionOf(definition)}`);
  const view = object.inVersion(converted, definition);
  viewsOf(views, object).set(definition, view);
  return view;
}

/** One object. A promise only where somebody else converts. */
export function inVersion(
  definition: ResourceDefinition,
  object: CachedObject,
): CachedObject | Promise<CachedObject> {
  const view = known(definition, object);
  if (view !== undefined || definition.conversion === undefined) return view ?? object;
  const converted = definition.conversion.fromStorage([object.object]);
  if (Array.isArray(converted)) return keep(definition, object, converted[0] as KubeObject | undefined);
  return Promise.resolve(converted).then(([one]) => keep(definition, object, one));
}

/** Many at once, in their order. A promise only where some must be converted. */
export function allInVersion(
  definition: ResourceDefinition,
  objects: Iterable<CachedObject>,
): readonly CachedObject[] | Promise<readonly CachedObject[]> {
  const all = Array.isArray(objects) ? (objects as readonly CachedObject[]) : [...objects];
  const { conversion } = definition;
  if (conversion === undefined) return all;
  const missing = all.filter((object) => known(definition, object) === undefined);
  return missing.length === 0 ? shownAs(definition, all) : convertAll(definition, conversion, missing, all);
}

const shownAs = (definition: ResourceDefinition, all: readonly CachedObject[]): readonly CachedObject[] =>
  all.map((object) => known(definition, object) ?? object);

async function convertAll(
  definition: ResourceDefinition,
  conversion: Conversion,
  missing: readonly CachedObject[],
  all: readonly CachedObject[],
): Promise<readonly CachedObject[]> {
  for (let at = 0; at < missing.length; at += batchMax) {
    const batch = missing.slice(at, at + batchMax);
    const converted = await conversion.fromStorage(batch.map(({ object }) => object));
    batch.forEach((object, i) => keep(definition, object, converted[i]));
  }
  return shownAs(definition, all);
}

/** A change as this version shows it: the same event for all its watchers, so that they share its bytes. */
export function eventInVersion(
  definition: ResourceDefinition,
  event: CacheEvent,
): CacheEvent | Promise<CacheEvent> {
  if (definition.conversion === undefined) return event;
  const made = eventViews.get(event)?.get(definition);
  if (made !== undefined) return made;
  const previous = event.previous === undefined ? undefined : inVersion(definition, event.previous);
  // A deletion shows the object as it last was.
  const current = event.deleted ? previous : inVersion(definition, event.current);
  const make = (before: CachedObject | undefined, after: CachedObject | undefined): CacheEvent => {
    if (before === event.previous && (event.deleted || after === event.current)) return event;
    const { deleted, revision } = event;
    const shown = deleted ? (before as CachedObject).atRevision(revision) : (after as CachedObject);
    const view = new CacheEvent(shown, before, deleted, revision);
    viewsOf(eventViews, event).set(definition, view);
    return view;
  };
  if (previous instanceof Promise || current instanceof Promise)
    return Promise.all([previous, current]).then(([before, after]) => make(before, after));
  return make(previous, current);
}

export interface StoredBytes {
  readonly encoded: EncodedObject;
  pack(): Buffer;
}

/** The bytes that the store gets for an object of this version. */
export function toStored(
  definition: ResourceDefinition,
  object: KubeObject,
  managedFields: string,
): StoredBytes | Promise<StoredBytes> {
  const { conversion, storage } = definition;
  const isStored = storage.group === definition.group && storage.version === definition.version;
  if (conversion === undefined || isStored) return storedBytes(definition, object, managedFields);
  const converted = conversion.toStorage(object);
  return converted instanceof Promise
    ? converted.then((one) => storedBytes(definition, one, managedFields))
    : storedBytes(definition, converted, managedFields);
}

function storedBytes(
  { storage, kind }: ResourceDefinition,
  object: KubeObject,
  managedFields: string,
): StoredBytes {
  const type = { group: storage.group, version: storage.version, kind };
  const encoded = encodeObject(object, type, managedFields);
  return { encoded, pack: (): Buffer => packValue(encoded, storage.epoch) };
}

/** An object of one version in another one of the same kind. */
export function between(
  from: ResourceDefinition,
  to: ResourceDefinition,
  object: KubeObject,
): KubeObject | Promise<KubeObject> {
  const stores = ({ storage, group, version }: ResourceDefinition): boolean =>
    storage.group === group && storage.version === version;
  const typed = (one: KubeObject | undefined): KubeObject => ({
    ...one,
    apiVersion: apiVersionOf(to),
    kind: to.kind,
  });
  const there = (stored: KubeObject): KubeObject | Promise<KubeObject> => {
    if (stores(to) || to.conversion === undefined) return typed(stored);
    const converted = to.conversion.fromStorage([stored]);
    return Array.isArray(converted)
      ? typed(converted[0] as KubeObject | undefined)
      : Promise.resolve(converted).then(([one]) => typed(one));
  };
  if (stores(from) || from.conversion === undefined) return there(object);
  const stored = from.conversion.toStorage(object);
  return stored instanceof Promise ? stored.then(there) : there(stored);
}

/**
 * Runs pure code that converts on its way. Where the answer comes later, it begins again when that has come: the same
 * object is asked for once.
 */
export function withConversions<T>(
  run: (convert: Convert) => T,
  answers = new Map<string, KubeObject>(),
): T | Promise<T> {
  try {
    return run((from, to, object) => {
      const converted = answers.size === 0 ? undefined : answers.get(questionOf(from, to, object));
      const answer = converted ?? between(from, to, object as KubeObject);
      if (answer instanceof Promise) throw new Waiting(questionOf(from, to, object), answer);
      return answer;
    });
  } catch (thrown) {
    if (!(thrown instanceof Waiting)) throw thrown;
    return thrown.answer.then((answer) => withConversions(run, answers.set(thrown.question, answer)));
  }
}

export type Convert = (from: ResourceDefinition, to: ResourceDefinition, object: unknown) => KubeObject;

const questionOf = (from: ResourceDefinition, to: ResourceDefinition, object: unknown): string =>
  `${apiVersionOf(from)} ${apiVersionOf(to)} ${JSON.stringify(object)}`;

class Waiting extends Error {
  readonly question: string;
  readonly answer: Promise<KubeObject>;

  constructor(question: string, answer: Promise<KubeObject>) {
    super("a conversion is not there yet");
    this.question = question;
    this.answer = answer;
  }
}
