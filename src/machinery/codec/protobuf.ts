// application/vnd.kubernetes.protobuf, both ways, driven by the fact table: `k8s\0`, then a runtime.Unknown envelope
// around the message. Output is deterministic: fields by number, map keys sorted, and what is not a pointer is
// always written, as the published fixtures of the API have it.
import { Reader, Writer } from "protobufjs/minimal.js";
import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import { decodeObject } from "../schema/decode.ts";
import type { Field, Message, Type } from "../schema/facts.ts";
import { parseApiVersion } from "../meta.ts";
import { message, messageRefFor, structSchema } from "../schema/schema.ts";
import { eachField, specialCodecs, tagOf, type CodecAround } from "./protobuf-special.ts";

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
/** Nesting beyond this is refused, as in JSON. */
const depthMax = 1000;

/** The bytes are not a protobuf object that we know. */
export class ProtobufError extends Error {
  override name = "ProtobufError";
}

interface MessageCodec {
  readonly byNumber: ReadonlyMap<number, Field>;
  /** In order of their numbers. */
  readonly fields: readonly Field[];
}

const codecs = new Map<string, MessageCodec>();

function codecOf(ref: string): MessageCodec {
  const known = codecs.get(ref);
  if (known !== undefined) return known;
  const source: Message | undefined = message(ref);
  if (source === undefined) throw new ProtobufError(`no message ${ref}`);
  const missing = source.fields.find((field) => field.number === 0);
  if (missing !== undefined) throw new ProtobufError(`${source.name} has no protobuf form`);
  const fields = [...source.fields].sort((a, b) => a.number - b.number);
  const codec = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
  codecs.set(ref, codec);
  return codec;
}

/** True when objects of this kind have a protobuf form (built-in, and not Table). */
export function hasProtobuf(apiVersion: string, kind: string): boolean {
  const { group, version } = parseApiVersion(apiVersion);
  const ref = messageRefFor(group, version, kind);
  return ref !== undefined && message(ref)?.fields.every((field) => field.number > 0) === true;
}

const wireTypes: { readonly [scalar: string]: number } = { bool: 0, int32: 0, int64: 0, double: 1 };
const wireTypeOf = (type: Type): number => wireTypes[type.scalar ?? ""] ?? 2;

const sortedKeys = (value: JsonObject): string[] => Object.keys(value).sort((a, b) => (a < b ? -1 : 1));

const around: CodecAround = {
  writeMessage,
  readMessage,
  readEmbedded: (bytes) =>
    isProtobuf(bytes)
      ? decodeProtobuf(bytes).object
      : (JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as unknown),
};

function writeMessage(writer: Writer, ref: string, value: unknown, depth: number): void {
  if (depth > depthMax) throw new ProtobufError("exceeded max depth");
  const object = isObject(value) ? value : {};
  for (const field of codecOf(ref).fields) {
    if (field.inline) {
      writer.uint32(tagOf(field.number, 2)).fork();
      writeMessage(writer, field.type.message ?? "", object, depth + 1);
      writer.ldelim();
    } else
      writeField(writer, field, Object.hasOwn(object, field.name) ? object[field.name] : undefined, depth);
  }
}

function writeField(writer: Writer, field: Field, value: unknown, depth: number): void {
  const { type, number } = field;
  const absent = value === undefined || value === null;
  if (type.list !== undefined && type.wrapped !== true) {
    if (!Array.isArray(value)) return;
    for (const item of value as unknown[]) writeTagged(writer, number, type.list, item, depth);
  } else if (type.map !== undefined) {
    if (isObject(value)) writeMap(writer, number, type.map, value, depth);
  } else if (absent && (type.pointer || type.wrapped === true || type.scalar === "bytes")) {
    return;
  } else writeTagged(writer, number, type, value, depth);
}

function writeMap(writer: Writer, number: number, type: Type, value: JsonObject, depth: number): void {
  for (const key of sortedKeys(value)) {
    writer.uint32(tagOf(number, 2)).fork();
    writer.uint32(tagOf(1, 2)).string(key);
    const item = value[key];
    if (type.scalar !== "bytes" || item !== "") writeTagged(writer, 2, type, item, depth);
    writer.ldelim();
  }
}

function writeTagged(writer: Writer, number: number, type: Type, value: unknown, depth: number): void {
  writer.uint32(tagOf(number, wireTypeOf(type)));
  const special = type.scalar === undefined ? undefined : specialCodecs[type.scalar];
  if (type.list !== undefined) {
    writer.fork();
    for (const item of Array.isArray(value) ? (value as unknown[]) : []) {
      writeTagged(writer, 1, type.list, item, depth);
    }
    writer.ldelim();
  } else if (type.message !== undefined) {
    writer.fork();
    writeMessage(writer, type.message, value, depth + 1);
    writer.ldelim();
  } else if (special !== undefined) {
    writer.fork();
    special.write(writer, value, around, depth);
    writer.ldelim();
  } else writeScalar(writer, type, value);
}

function writeScalar(writer: Writer, type: Type, value: unknown): void {
  switch (type.scalar) {
    case "bool":
      writer.bool(value === true);
      break;
    case "int32":
      writer.int32(Number(value ?? 0));
      break;
    case "int64":
      writer.int64(Number(value ?? 0));
      break;
    case "double":
      writer.double(Number(value ?? 0));
      break;
    case "bytes":
      writer.bytes(Buffer.from(typeof value === "string" ? value : "", "base64"));
      break;
    default:
      writer.string(typeof value === "string" ? value : "");
  }
}

function readMessage(reader: Reader, end: number, ref: string, depth: number): JsonObject {
  const out: JsonObject = {};
  readInto(reader, end, ref, out, depth);
  return out;
}

function readInto(reader: Reader, end: number, ref: string, out: JsonObject, depth: number): void {
  if (depth > depthMax) throw new ProtobufError("exceeded max depth");
  if (end > reader.len) throw new ProtobufError("unexpected EOF");
  const { byNumber } = codecOf(ref);
  eachField(reader, end, (number, wireType) => {
    const field = byNumber.get(number);
    if (field === undefined) return false;
    if (field.inline) {
      const size = reader.uint32();
      readInto(reader, reader.pos + size, field.type.message ?? "", out, depth + 1);
    } else readField(reader, field, out, wireType, depth);
    return true;
  });
}

function readField(reader: Reader, field: Field, out: JsonObject, wireType: number, depth: number): void {
  const { type, name } = field;
  if (type.list !== undefined && type.wrapped !== true) {
    const list = Array.isArray(out[name]) ? (out[name] as unknown[]) : (out[name] = []);
    readItems(reader, type.list, list as unknown[], wireType, depth);
  } else if (type.map !== undefined) {
    const map = isObject(out[name]) ? out[name] : (out[name] = {});
    readEntry(reader, type.map, map as JsonObject, depth);
  } else out[name] = readValue(reader, type, wireType, depth);
}

/** Numbers may also come packed: one length-delimited run. */
function readItems(reader: Reader, type: Type, list: unknown[], wireType: number, depth: number): void {
  const single = wireTypeOf(type);
  if (wireType !== 2 || single === 2) {
    list.push(readValue(reader, type, wireType, depth));
    return;
  }
  const size = reader.uint32();
  const end = reader.pos + size;
  while (reader.pos < end) list.push(readValue(reader, type, single, depth));
}

function readEntry(reader: Reader, type: Type, map: JsonObject, depth: number): void {
  const size = reader.uint32();
  let key = "";
  let value: unknown;
  eachField(reader, reader.pos + size, (number, wireType) => {
    if (number === 1) key = reader.string();
    else if (number === 2) value = readValue(reader, type, wireType, depth);
    return number === 1 || number === 2;
  });
  setOwn(map, key, value ?? null);
}

function readValue(reader: Reader, type: Type, wireType: number, depth: number): unknown {
  if (wireType !== wireTypeOf(type)) throw new ProtobufError(`illegal wireType ${wireType}`);
  if (wireType === 2 && !isText(type)) {
    const size = reader.uint32();
    const end = reader.pos + size;
    if (end > reader.len) throw new ProtobufError("unexpected EOF");
    if (type.message !== undefined) return readMessage(reader, end, type.message, depth + 1);
    if (type.list !== undefined) return readWrapped(reader, end, type.list, depth);
    return specialCodecs[type.scalar ?? "string"]?.read(reader, end, around, depth);
  }
  switch (type.scalar) {
    case "bool":
      return reader.bool();
    case "int32":
      return reader.int32();
    case "int64":
      return Number(reader.int64());
    case "double":
      return reader.double();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    default:
      return reader.string();
  }
}

const isText = (type: Type): boolean => type.scalar === "string" || type.scalar === "bytes";

function readWrapped(reader: Reader, end: number, item: Type, depth: number): unknown[] {
  const list: unknown[] = [];
  eachField(reader, end, (number, wireType) => {
    if (number === 1) list.push(readValue(reader, item, wireType, depth));
    return number === 1;
  });
  return list;
}

export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && magic.every((byte, i) => bytes[i] === byte);
}

function refOf(apiVersion: string, kind: string): string {
  const { group, version } = parseApiVersion(apiVersion);
  const ref = messageRefFor(group, version, kind);
  if (ref === undefined) throw new ProtobufError(`no protobuf form of ${apiVersion}, Kind=${kind}`);
  return ref;
}

/** The bare message, without magic and envelope. */
export function encodeMessage(ref: string, object: unknown): Buffer {
  const writer = Writer.create();
  writeMessage(writer, ref, object, 0);
  return Buffer.from(writer.finish());
}

/** Magic and envelope around a bare message. */
export function wrapMessage(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  const writer = Writer.create();
  writer.uint32(tagOf(1, 2)).fork();
  writer.uint32(tagOf(1, 2)).string(apiVersion).uint32(tagOf(2, 2)).string(kind);
  writer.ldelim();
  writer.uint32(tagOf(2, 2)).bytes(raw);
  writer.uint32(tagOf(3, 2)).string("").uint32(tagOf(4, 2)).string("");
  return Buffer.concat([magic, writer.finish()]);
}

/** An object (its `apiVersion` and `kind` say which) as protobuf. Throws `ProtobufError` for kinds without a form. */
export function encodeProtobuf(object: { apiVersion?: string; kind?: string }): Buffer {
  const { apiVersion = "", kind = "" } = object;
  return wrapMessage(apiVersion, kind, encodeMessage(refOf(apiVersion, kind), object));
}

/** A list from items that are encoded already (`encodeMessage`), so that a LIST can be put together from a cache. */
export function encodeProtobufList(
  apiVersion: string,
  kind: string,
  metadata: unknown,
  items: readonly Uint8Array[],
): Buffer {
  const writer = Writer.create();
  writer.uint32(tagOf(1, 2)).fork();
  writeMessage(writer, "meta/v1.ListMeta", metadata, 0);
  writer.ldelim();
  for (const item of items) writer.uint32(tagOf(2, 2)).bytes(item);
  return wrapMessage(apiVersion, kind, writer.finish());
}

/** One frame of `application/vnd.kubernetes.protobuf;stream=watch`: a length, then a bare WatchEvent. */
export function encodeWatchFrame(type: string, object: Uint8Array): Buffer {
  const writer = Writer.create();
  writer.uint32(tagOf(1, 2)).string(type);
  writer.uint32(tagOf(2, 2)).fork();
  writer.uint32(tagOf(1, 2)).bytes(object);
  writer.ldelim();
  const event = writer.finish();
  const frame = Buffer.allocUnsafe(4 + event.length);
  frame.writeUInt32BE(event.length, 0);
  frame.set(event, 4);
  return frame;
}

/** The event of one frame, without its length: the type, and the object still encoded. */
export function decodeWatchEvent(event: Uint8Array): { type: string; object: Uint8Array } {
  return reading(event, (reader) => {
    let type = "";
    let object: Uint8Array = new Uint8Array();
    eachField(reader, reader.len, (number) => {
      if (number === 1) type = reader.string();
      else if (number === 2) {
        const size = reader.uint32();
        eachField(reader, reader.pos + size, (inner) => {
          if (inner === 1) object = reader.bytes();
          return inner === 1;
        });
      }
      return number === 1 || number === 2;
    });
    return { type, object };
  });
}

/** Runs a read and turns the reader's own failures into ours. */
function reading<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  try {
    return read(Reader.create(bytes));
  } catch (thrown) {
    if (thrown instanceof ProtobufError) throw thrown;
    throw new ProtobufError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** What stands in the envelope, before the message is read: enough to route and to refuse. */
export function openEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  if (!isProtobuf(bytes))
    throw new ProtobufError(
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  return reading(bytes.subarray(4), (reader) => {
    let apiVersion = "";
    let kind = "";
    let raw: Uint8Array = new Uint8Array();
    eachField(reader, reader.len, (number) => {
      if (number === 1) {
        const size = reader.uint32();
        eachField(reader, reader.pos + size, (inner) => {
          if (inner === 1) apiVersion = reader.string();
          else if (inner === 2) kind = reader.string();
          return inner === 1 || inner === 2;
        });
      } else if (number === 2) raw = reader.bytes();
      return number === 1 || number === 2;
    });
    return { apiVersion, kind, raw };
  });
}

/**
 * Decodes an enveloped object into the same form that `decodeObject` gives for JSON.
 * `expected` is the kind to assume when the envelope names none.
 */
export function decodeProtobuf(
  bytes: Uint8Array,
  expected?: { apiVersion: string; kind: string },
): { object: JsonObject } {
  const envelope = openEnvelope(bytes);
  const apiVersion = envelope.apiVersion || (expected?.apiVersion ?? "");
  const kind = envelope.kind || (expected?.kind ?? "");
  const ref = refOf(apiVersion, kind);
  const read = reading(envelope.raw, (reader) => readMessage(reader, reader.len, ref, 0));
  const { object } = decodeObject(structSchema(ref), { kind, apiVersion, ...read });
  return { object };
}
