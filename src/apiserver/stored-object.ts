// How an object is laid out: in the store, in the watch cache, and on the wire. Pure.
//
//   store value:  [0] format  [1] codec  [2] flags  [3] 0  [4–7] schema epoch  [8–11] typeEnd  [12–15] rvAt
//                 [16–19] managedAt  [20–23] managedEnd  then JSON            (format 1 has no managed part)
//   JSON:         {"kind":"Pod","apiVersion":"v1","metadata":{"name":"x",…,"managedFields":[…]},"spec":…}
//                                                 ^ typeEnd   ^ rvAt      ^ managedAt       ^ managedEnd
//
// A resource version exists only after the commit, so it is not stored: it is put in at rvAt. A list item has no
// kind and apiVersion of its own: it is `{` and the bytes from typeEnd on. Who owns which field is for clients and
// for writes: nobody else parses or keeps it, and a write that changes no ownership copies its text.

import { isDeepStrictEqual } from "node:util";
import { assert } from "#base/assert.ts";
import { builtinEpoch } from "#machinery/define-resource.ts";
import { copyJson, setOwn, type JsonObject } from "#machinery/json-object.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";

const headerBytes = { 1: 16, 2: 24 } as const;
const format = 2;
const jsonCodec = 1;

export interface EncodedObject {
  /** Room for the header of a store value, then the JSON. */
  readonly value: Buffer;
  readonly json: Buffer;
  readonly typeEnd: number;
  readonly rvAt: number;
  readonly managedAt: number;
  readonly managedEnd: number;
}

/** The JSON of an object without its resource version. `managedFields` is the text of that list; "" for none. */
export function encodeObject(
  object: KubeObject,
  type: { group: string; version: string; kind: string },
  managedFields: string,
): EncodedObject {
  const { apiVersion: _a, kind: _k, metadata = {}, ...rest } = object as KubeObject & Record<string, unknown>;
  const { resourceVersion: _r, managedFields: _m, ...stored } = metadata;
  const typePart = `{"kind":${JSON.stringify(type.kind)},"apiVersion":${JSON.stringify(apiVersionOf(type))},`;
  const metadataPart = JSON.stringify(stored).slice(1, -1);
  const managedPart = managedFields === "" ? "" : `,"managedFields":${managedFields}`;
  const tail = JSON.stringify(rest);
  const head = `${typePart}"metadata":{`;
  const text = `${head}${metadataPart}${managedPart}}${tail === "{}" ? "}" : `,${tail.slice(1)}`}`;
  const rvAt = Buffer.byteLength(head);
  const managedAt = rvAt + Buffer.byteLength(metadataPart);
  const bytes = Buffer.byteLength(text);
  const value = Buffer.allocUnsafe(headerBytes[format] + bytes);
  // Text without other characters than ASCII is written faster as such.
  value.write(text, headerBytes[format], bytes === text.length ? "latin1" : "utf8");
  return {
    value,
    json: value.subarray(headerBytes[format]),
    typeEnd: Buffer.byteLength(typePart),
    rvAt,
    managedAt,
    managedEnd: managedAt + Buffer.byteLength(managedPart),
  };
}

/** The encoded object as the store keeps it. */
export function packValue(
  { value, typeEnd, rvAt, managedAt, managedEnd }: EncodedObject,
  epoch = builtinEpoch,
): Buffer {
  value[0] = format;
  value[1] = jsonCodec;
  value[2] = 0;
  value[3] = 0;
  value.writeUInt32BE(epoch, 4);
  value.writeUInt32BE(typeEnd, 8);
  value.writeUInt32BE(rvAt, 12);
  value.writeUInt32BE(managedAt, 16);
  value.writeUInt32BE(managedEnd, 20);
  return value;
}

/** What has not been committed (a dry run) has no version yet. */
const versionText = (revision: number): string => (revision === 0 ? "" : `"resourceVersion":"${revision}",`);
const managedKey = `,"managedFields":`;

/** What values were encoded from, for as long as nobody has asked: until their event has been told. */
const sources = new WeakMap<Buffer, KubeObject>();

/** The object that a value was made of, so that who watches need not parse it. It is not changed any more. */
export function noteSource(value: Buffer, object: KubeObject): void {
  sources.set(value, object);
}

export function takeSource(value: Buffer): KubeObject | undefined {
  const source = sources.get(value);
  if (source !== undefined) sources.delete(value);
  return source;
}

/** As it would be parsed from its JSON: without what is undefined. */
function asParsed<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(asParsed) as T;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    const inner = (value as JsonObject)[key];
    if (inner !== undefined) setOwn(copy, key, asParsed(inner));
  }
  return copy as T;
}

/** Offsets into the bytes that clients get. */
interface Layout {
  readonly epoch: number;
  readonly typeEnd: number;
  readonly rvAt: number;
  /** After the resource version and its comma. */
  readonly rvEnd: number;
  readonly managedAt: number;
  readonly managedEnd: number;
}

/** One object at one revision: bytes first, parsed only for who needs fields, then shared by everyone. */
export class CachedObject {
  readonly key: string;
  readonly revision: number;
  /** The whole object as clients get it. */
  readonly bytes: Buffer;
  readonly #layout: Layout;
  #object: KubeObject | undefined;
  #source: KubeObject | undefined;
  /** As the store has it, where this is the object in another version. */
  readonly #stored: CachedObject | undefined;

  private constructor(key: string, revision: number, bytes: Buffer, layout: Layout, stored?: CachedObject) {
    this.#stored = stored;
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
    this.#layout = layout;
  }

  static fromValue(key: string, value: Buffer, revision: number): CachedObject {
    const [known, codec, flags] = value;
    assert(
      (known === 1 || known === 2) && codec === jsonCodec && flags === 0,
      `${key}: stored format ${known}/${codec}/${flags} is not known`,
    );
    const start = headerBytes[known];
    const typeEnd = value.readUInt32BE(8);
    const rvAt = value.readUInt32BE(12);
    // Format 1 does not say where managed fields would stand: at the end of the JSON they harm nothing.
    const managedAt = known === 1 ? value.length - start : value.readUInt32BE(16);
    const managedEnd = known === 1 ? value.length - start : value.readUInt32BE(20);
    return CachedObject.withRevision(
      key,
      revision,
      value.subarray(start, start + rvAt),
      value.subarray(start + rvAt),
      {
        epoch: value.readUInt32BE(4),
        typeEnd,
        managedAt: managedAt - rvAt,
        managedLength: managedEnd - managedAt,
      },
    );
  }

  /** `managedAt` counts from the start of `after`. */
  private static withRevision(
    key: string,
    revision: number,
    before: Buffer,
    after: Buffer,
    at: { epoch: number; typeEnd: number; managedAt: number; managedLength: number },
    stored?: CachedObject,
  ): CachedObject {
    const version = Buffer.from(versionText(revision));
    const rvEnd = before.length + version.length;
    const layout = {
      epoch: at.epoch,
      typeEnd: at.typeEnd,
      rvAt: before.length,
      rvEnd,
      managedAt: rvEnd + at.managedAt,
      managedEnd: rvEnd + at.managedAt + at.managedLength,
    };
    // Memory of its own: a slice of the shared pool would keep what was there only for a moment beside it.
    const bytes = Buffer.allocUnsafeSlow(before.length + version.length + after.length);
    before.copy(bytes);
    version.copy(bytes, before.length);
    after.copy(bytes, rvEnd);
    return new CachedObject(key, revision, bytes, layout, stored);
  }

  /** The same object at the same revision in another version of its kind. */
  inVersion(object: KubeObject, type: { group: string; version: string; kind: string }): CachedObject {
    const { json, typeEnd, rvAt, managedAt, managedEnd } = encodeObject(object, type, this.managedFields);
    const at = { epoch: 0, typeEnd, managedAt: managedAt - rvAt, managedLength: managedEnd - managedAt };
    return CachedObject.withRevision(
      this.key,
      this.revision,
      json.subarray(0, rvAt),
      json.subarray(rvAt),
      at,
      this.stored,
    );
  }

  /** What the store has. */
  get stored(): CachedObject {
    return this.#stored ?? this;
  }

  /** The schema that the bytes were written by. */
  get epoch(): number {
    return this.#layout.epoch;
  }

  /** The frozen object without its managed fields, parsed on first use. */
  get object(): KubeObject {
    this.#object ??= freeze(this.#source === undefined ? this.draft() : this.#ofSource(this.#source));
    return this.#object;
  }

  /** Asserts that what is shared is what the bytes say. */
  check(): void {
    if (this.#object === undefined) return;
    const parsed = new CachedObject(this.key, this.revision, this.bytes, this.#layout).draft();
    assert(isDeepStrictEqual(this.#object, parsed), `${this.key} is shared as it is stored`);
  }

  /** While `tell` runs, whoever wants the object gets it from what it was encoded from. */
  withSource(source: KubeObject | undefined, tell: () => void): void {
    this.#source = source;
    tell();
    this.#source = undefined;
  }

  #ofSource({ metadata, ...rest }: KubeObject): KubeObject {
    const { managedFields: _m, ...own } = metadata ?? {};
    return asParsed({ ...rest, metadata: { ...own, resourceVersion: String(this.revision) } });
  }

  /** The text of metadata.managedFields; "" when there are none. */
  get managedFields(): string {
    const { managedAt, managedEnd } = this.#layout;
    return managedEnd === managedAt
      ? ""
      : this.bytes.toString("utf8", managedAt + managedKey.length, managedEnd);
  }

  /** The object with its managed fields, as clients see it: made for who asks, not kept. */
  get whole(): KubeObject {
    const text = this.managedFields;
    if (text === "") return this.object;
    const managedFields = JSON.parse(text) as unknown[];
    return { ...this.object, metadata: { ...this.object.metadata, managedFields } };
  }

  /** Its metadata, frozen, without managed fields: made for who asks, and nothing else of the object with it. */
  get metadataAlone(): object {
    if (this.#object !== undefined) return this.#object.metadata ?? {};
    const { typeEnd, managedAt, managedEnd } = this.#layout;
    if (managedEnd === this.bytes.length) return this.object.metadata ?? {};
    const { metadata } = JSON.parse(`{${this.bytes.toString("utf8", typeEnd, managedAt)}}}`) as KubeObject;
    return freeze(metadata ?? {});
  }

  /** The object for who looks at it once: parsed for everybody only where it has been already. */
  once(withManaged: boolean): KubeObject {
    if (this.#object === undefined) return this.draft(withManaged);
    return withManaged ? this.whole : this.#object;
  }

  /** `"metadata":{…}` as it stands in the bytes; undefined where they do not tell its end. */
  get metadataText(): Buffer | undefined {
    const { typeEnd, managedEnd } = this.#layout;
    return managedEnd === this.bytes.length ? undefined : this.bytes.subarray(typeEnd, managedEnd + 1);
  }

  /** A private copy to change, without managed fields unless asked for. */
  draft<T extends KubeObject>(withManaged = false): T {
    const { managedAt, managedEnd } = this.#layout;
    // Where it has been parsed already, copying costs a fraction of parsing again.
    if (this.#object !== undefined && (!withManaged || managedEnd === managedAt))
      return copyJson(this.#object) as T;
    const text =
      withManaged || managedEnd === managedAt
        ? this.bytes.toString()
        : this.bytes.toString("utf8", 0, managedAt) + this.bytes.toString("utf8", managedEnd);
    return JSON.parse(text) as T;
  }

  /** As it stands in a list of its kind, without kind and apiVersion: all that follows the opening brace. */
  get fields(): Buffer {
    return this.bytes.subarray(this.fieldsAt);
  }

  /** Where they begin. */
  get fieldsAt(): number {
    return this.#layout.typeEnd;
  }

  /** The same content seen at another revision: what a deletion event shows. */
  atRevision(revision: number): CachedObject {
    const { epoch, typeEnd, rvAt, rvEnd, managedAt, managedEnd } = this.#layout;
    return CachedObject.withRevision(
      this.key,
      revision,
      this.bytes.subarray(0, rvAt),
      this.bytes.subarray(rvEnd),
      {
        epoch,
        typeEnd,
        managedAt: managedAt - rvEnd,
        managedLength: managedEnd - managedAt,
      },
    );
  }

  /** Whether storing `next` would change nothing; with `ignoreManaged`, nothing but who owns what. */
  sameContent(next: EncodedObject, ignoreManaged: boolean): boolean {
    const { rvAt, rvEnd, managedAt, managedEnd } = this.#layout;
    const { bytes } = this;
    const same = (from: number, to: number, nextFrom: number, nextTo: number): boolean =>
      to - from === nextTo - nextFrom && bytes.compare(next.json, nextFrom, nextTo, from, to) === 0;
    const end = next.json.length;
    if (!ignoreManaged && !same(managedAt, managedEnd, next.managedAt, next.managedEnd)) return false;
    const metadataBytes = managedAt - rvEnd + rvAt;
    if (metadataBytes !== next.managedAt || bytes.length - managedEnd !== end - next.managedEnd) return false;
    const sameBytes =
      same(0, rvAt, 0, next.rvAt) &&
      same(rvEnd, managedAt, next.rvAt, next.managedAt) &&
      same(managedEnd, bytes.length, next.managedEnd, end);
    if (sameBytes) return true;
    const stored =
      byteSum(bytes, 0, rvAt) + byteSum(bytes, rvEnd, managedAt) + byteSum(bytes, managedEnd, bytes.length);
    if (stored !== byteSum(next.json, 0, next.managedAt) + byteSum(next.json, next.managedEnd, end))
      return false;
    // Of the same length, but other bytes: perhaps only the order of the fields differs.
    const { json } = next;
    const text = json.toString("utf8", 0, next.managedAt) + json.toString("utf8", next.managedEnd);
    const other = JSON.parse(text) as KubeObject;
    other.metadata = { ...other.metadata, resourceVersion: String(this.revision) };
    return isDeepStrictEqual(other, this.object);
  }
}

/** The same for the same fields in any order. */
function byteSum(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at] as number;
  return sum;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

/** `/registry/pods/default/x`, `/registry/rbac.authorization.k8s.io/roles/default/x` */
export function storagePrefix(storage: { group: string; resource: string }): string {
  return storage.group === ""
    ? `/registry/${storage.resource}/`
    : `/registry/${storage.group}/${storage.resource}/`;
}

export function storageKey(
  storage: { group: string; resource: string },
  namespace: string,
  name: string,
): string {
  return `${storagePrefix(storage)}${namespace === "" ? "" : `${namespace}/`}${name}`;
}
