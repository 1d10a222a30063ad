// How an object is laid out: in the store, in the watch cache, and on the wire. Pure.
//
//   store value:  [0] format  [1] codec  [2] flags  [3] 0  [4–7] schema epoch  [8–11] typeEnd  [12–15] rvAt  then JSON
//   JSON:         {"kind":"Pod","apiVersion":"v1","metadata":{"name":"x",…},"spec":…}
//                                                 ^ typeEnd   ^ rvAt (relative to the JSON)
//
// A resource version exists only after the commit, so it is not stored: it is put in at rvAt. A list item has no
// kind and apiVersion of its own: it is `{` and the bytes from typeEnd on.

import { isDeepStrictEqual } from "node:util";
import { assert } from "#base/assert.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";

const headerBytes = 16;
const format = 1;
const jsonCodec = 1;
/** Objects of built-in kinds written by this version of the schemas. */
export const builtinEpoch = 1;

/** The JSON of an object without its resource version. */
export function encodeObject(
  object: KubeObject,
  type: { group: string; version: string; kind: string },
): { json: Buffer; typeEnd: number; rvAt: number } {
  const { apiVersion: _a, kind: _k, metadata = {}, ...rest } = object as KubeObject & Record<string, unknown>;
  const { resourceVersion: _r, ...stored } = metadata;
  const typePart = `{"kind":${JSON.stringify(type.kind)},"apiVersion":${JSON.stringify(apiVersionOf(type))},`;
  const metadataStart = `"metadata":{`;
  const tail = JSON.stringify(rest);
  const text = `${typePart}${metadataStart}${JSON.stringify(stored).slice(1)}${tail === "{}" ? "}" : `,${tail.slice(1)}`}`;
  return {
    json: Buffer.from(text),
    typeEnd: Buffer.byteLength(typePart),
    rvAt: Buffer.byteLength(typePart) + metadataStart.length,
  };
}

export function packValue({ json, typeEnd, rvAt }: { json: Buffer; typeEnd: number; rvAt: number }): Buffer {
  const value = Buffer.allocUnsafe(headerBytes + json.length);
  value[0] = format;
  value[1] = jsonCodec;
  value[2] = 0;
  value[3] = 0;
  value.writeUInt32BE(builtinEpoch, 4);
  value.writeUInt32BE(typeEnd, 8);
  value.writeUInt32BE(rvAt, 12);
  json.copy(value, headerBytes);
  return value;
}

const open = Buffer.from("{");
/** What has not been committed (a dry run) has no version yet. */
const versionText = (revision: number): string => (revision === 0 ? "" : `"resourceVersion":"${revision}",`);

/** One object at one revision: bytes first, parsed only for who needs fields, then shared by everyone. */
export class CachedObject {
  readonly key: string;
  readonly revision: number;
  /** The whole object as clients get it. */
  readonly bytes: Buffer;
  readonly #typeEnd: number;
  #object: KubeObject | undefined;

  private constructor(key: string, revision: number, bytes: Buffer, typeEnd: number) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
    this.#typeEnd = typeEnd;
  }

  static fromValue(key: string, value: Buffer, revision: number): CachedObject {
    assert(
      value[0] === format && value[1] === jsonCodec && value[2] === 0,
      `${key}: stored format ${value[0]}/${value[1]}/${value[2]} is not known`,
    );
    const typeEnd = value.readUInt32BE(8);
    const rvAt = headerBytes + value.readUInt32BE(12);
    const version = Buffer.from(versionText(revision));
    const bytes = Buffer.concat([value.subarray(headerBytes, rvAt), version, value.subarray(rvAt)]);
    return new CachedObject(key, revision, bytes, typeEnd);
  }

  /** The frozen object, parsed on first use. */
  get object(): KubeObject {
    this.#object ??= freeze(JSON.parse(this.bytes.toString()) as KubeObject);
    return this.#object;
  }

  /** A private copy to change. */
  draft<T extends KubeObject>(): T {
    return JSON.parse(this.bytes.toString()) as T;
  }

  /** As it stands in a list of its kind: without kind and apiVersion. */
  get item(): readonly Buffer[] {
    return [open, this.bytes.subarray(this.#typeEnd)];
  }

  /** The same content seen at another revision: what a deletion event shows. */
  atRevision(revision: number): CachedObject {
    const object = this.draft();
    object.metadata = { ...object.metadata, resourceVersion: String(revision) };
    return new CachedObject(this.key, revision, Buffer.from(JSON.stringify(object)), this.#typeEnd);
  }

  /** Whether storing `json` (without resource version) would change nothing. */
  sameContent(json: Buffer, rvAt: number): boolean {
    const shift = this.bytes.length - json.length;
    if (shift !== versionText(this.revision).length) return false;
    const same =
      this.bytes.compare(json, 0, rvAt, 0, rvAt) === 0 &&
      this.bytes.compare(json, rvAt, json.length, rvAt + shift) === 0;
    if (same) return true;
    // Of the same length, but other bytes: perhaps only the order of the fields differs.
    const other = JSON.parse(json.toString()) as KubeObject;
    other.metadata = { ...other.metadata, resourceVersion: String(this.revision) };
    return isDeepStrictEqual(other, this.object);
  }
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
