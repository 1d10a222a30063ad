// The API's special scalars on the wire: each is a small protobuf message, and a text, number or free JSON value
// in JSON. Table of how to write and read each.
import type { Reader, Writer } from "protobufjs/minimal.js";
import type { Scalar } from "../schema/facts.ts";
import { durationNanos, formatDuration } from "../schema/scalar-text.ts";

/** What the special scalars need from the codec around them. */
export interface CodecAround {
  writeMessage(writer: Writer, ref: string, value: unknown, depth: number): void;
  readMessage(reader: Reader, end: number, ref: string, depth: number): unknown;
  /** Bytes that start with the protobuf magic, inside a free-form field. */
  readEmbedded(bytes: Uint8Array): unknown;
}

export interface SpecialCodec {
  write(writer: Writer, value: unknown, around: CodecAround, depth: number): void;
  read(reader: Reader, end: number, around: CodecAround, depth: number): unknown;
}

const props = "apiextensions/v1.JSONSchemaProps";

export const tagOf = (number: number, wireType: number): number => (number << 3) | wireType;

/** Calls `field` for every field of the message that ends at `end`; a field that it does not take is skipped. */
export function eachField(
  reader: Reader,
  end: number,
  field: (number: number, wireType: number) => boolean,
): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!field(tag >>> 3, tag & 7)) reader.skipType(tag & 7);
  }
}

const numberOf = (value: unknown): number => Number(value);

/** A message with one string or bytes field, number 1. */
const readFirst = <T>(reader: Reader, end: number, take: () => T): T | undefined => {
  let found: T | undefined;
  eachField(reader, end, (number) => {
    if (number !== 1) return false;
    found = take();
    return true;
  });
  return found;
};

const quantity: SpecialCodec = {
  write: (writer, value) => void writer.uint32(tagOf(1, 2)).string(typeof value === "string" ? value : "0"),
  read: (reader, end) => readFirst(reader, end, () => reader.string()) ?? "0",
};

const intOrString: SpecialCodec = {
  write: (writer, value) => {
    const isText = typeof value === "string";
    writer.uint32(tagOf(1, 0)).int64(isText ? 1 : 0);
    writer.uint32(tagOf(2, 0)).int32(isText ? 0 : numberOf(value ?? 0));
    writer.uint32(tagOf(3, 2)).string(isText ? value : "");
  },
  read: (reader, end) => {
    let isText = false;
    let whole = 0;
    let text = "";
    eachField(reader, end, (number) => {
      if (number === 1) isText = numberOf(reader.int64()) === 1;
      else if (number === 2) whole = reader.int32();
      else if (number === 3) text = reader.string();
      return number >= 1 && number <= 3;
    });
    return isText ? text : whole;
  },
};

const microsOf = (text: string): number => Number((/\.(\d{1,6})/.exec(text)?.[1] ?? "").padEnd(6, "0"));

const time = (micro: boolean): SpecialCodec => ({
  write: (writer, value) => {
    if (typeof value !== "string") return;
    writer.uint32(tagOf(1, 0)).int64(Math.floor(Date.parse(value) / 1000));
    writer.uint32(tagOf(2, 0)).int32(micro ? microsOf(value) * 1000 : 0);
  },
  read: (reader, end) => {
    // An empty message is the zero time.
    if (reader.pos >= end) return null;
    let seconds = 0;
    let nanos = 0;
    eachField(reader, end, (number) => {
      if (number === 1) seconds = numberOf(reader.int64());
      else if (number === 2) nanos = reader.int32();
      return number === 1 || number === 2;
    });
    const moment = new Date(seconds * 1000);
    if (Number.isNaN(moment.getTime())) return null;
    const text = moment.toISOString().slice(0, 19);
    if (!micro) return `${text}Z`;
    return `${text}.${Math.trunc(nanos / 1000)
      .toString()
      .padStart(6, "0")}Z`;
  },
});

const duration: SpecialCodec = {
  write: (writer, value) => {
    const nanos = typeof value === "string" ? (durationNanos(value) ?? 0n) : 0n;
    writer.uint32(tagOf(1, 0)).int64(Number(nanos));
  },
  read: (reader, end) => formatDuration(BigInt(readFirst(reader, end, () => numberOf(reader.int64())) ?? 0)),
};

/** Free JSON: its compact text as bytes in field 1; absent for null. */
const freeJson: SpecialCodec = {
  write: (writer, value) => {
    if (value === undefined || value === null) return;
    writer.uint32(tagOf(1, 2)).bytes(Buffer.from(JSON.stringify(value)));
  },
  read: (reader, end, around) => {
    const bytes = readFirst(reader, end, () => reader.bytes());
    return bytes === undefined || bytes.length === 0 ? null : around.readEmbedded(bytes);
  },
};

const nested = (writer: Writer, number: number, value: unknown, around: CodecAround, depth: number): void => {
  writer.uint32(tagOf(number, 2)).fork();
  around.writeMessage(writer, props, value, depth + 1);
  writer.ldelim();
};

const schemaOrBool: SpecialCodec = {
  write: (writer, value, around, depth) => {
    const isSchema = typeof value === "object" && value !== null;
    writer.uint32(tagOf(1, 0)).bool(isSchema || value === true);
    if (isSchema) nested(writer, 2, value, around, depth);
  },
  read: (reader, end, around, depth) => {
    let allows = false;
    let schema: unknown;
    eachField(reader, end, (number) => {
      if (number === 1) allows = reader.bool();
      else if (number === 2) {
        const size = reader.uint32();
        schema = around.readMessage(reader, reader.pos + size, props, depth + 1);
      }
      return number === 1 || number === 2;
    });
    return schema ?? allows;
  },
};

/** One schema in field 1, or a list (of schemas, or of names) in field 2. */
const schemaOrList = (names: boolean): SpecialCodec => ({
  write: (writer, value, around, depth) => {
    if (!Array.isArray(value)) {
      if (value !== undefined && value !== null) nested(writer, 1, value, around, depth);
      return;
    }
    for (const item of value as unknown[]) {
      if (names) writer.uint32(tagOf(2, 2)).string(String(item));
      else nested(writer, 2, item, around, depth);
    }
  },
  read: (reader, end, around, depth) => {
    let schema: unknown;
    const list: unknown[] = [];
    eachField(reader, end, (number) => {
      if (number === 2 && names) list.push(reader.string());
      else if (number === 1 || number === 2) {
        const size = reader.uint32();
        const item = around.readMessage(reader, reader.pos + size, props, depth + 1);
        if (number === 1) schema = item;
        else list.push(item);
      }
      return number === 1 || number === 2;
    });
    return schema ?? list;
  },
});

export const specialCodecs: { readonly [scalar in Scalar]?: SpecialCodec } = {
  quantity,
  intorstring: intOrString,
  time: time(false),
  microtime: time(true),
  duration,
  raw: freeJson,
  json: freeJson,
  fields: freeJson,
  schemaorbool: schemaOrBool,
  schemaorarray: schemaOrList(false),
  schemaorstrings: schemaOrList(true),
};
