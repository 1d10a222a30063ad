// application/cbor, both ways, as the Kubernetes API uses it (KEP-4222): what JSON can say, and nothing else. Text is
// written as byte strings and read from either kind of string; bytes that are marked for base64 are base64 in JSON; items
// of unknown length, infinities and unknown tags are refused. No library: those that there are read byte strings as bytes,
// which here are the keys of every map.
import { setOwn, type JsonObject } from "../json-object.ts";

export class CborError extends Error {
  override name = "CborError";
}

const selfDescribed = Buffer.from([0xd9, 0xd9, 0xf7]);
const selfDescribedTag = 55_799;
/** Nesting beyond this is refused. */
const depthMax = 64;

const majors = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;
const [falseByte, trueByte, nullByte, float32Byte, float64Byte] = [0xf4, 0xf5, 0xf6, 0xfa, 0xfb];

/** How bytes under a tag are shown as text. */
const textForms: Readonly<Record<number, BufferEncoding>> = { 21: "base64url", 22: "base64", 23: "hex" };

class Output {
  #bytes = Buffer.allocUnsafe(1024);
  #size = 0;

  #room(count: number): number {
    const at = this.#size;
    this.#size += count;
    if (this.#size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#size, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  copy(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A major type with its number: a value, a length or a count. */
  head(major: number, value: number): void {
    const type = major << 5;
    if (value < 24) this.byte(type | value);
    else if (value < 0x100) this.#sized(type | 24, 1, value);
    else if (value < 0x1_0000) this.#sized(type | 25, 2, value);
    else if (value < 0x1_0000_0000) this.#sized(type | 26, 4, value);
    else {
      const at = this.#room(9);
      this.#bytes[at] = type | 27;
      this.#bytes.writeBigUInt64BE(BigInt(value), at + 1);
    }
  }

  #sized(first: number, size: number, value: number): void {
    const at = this.#room(1 + size);
    this.#bytes[at] = first;
    this.#bytes.writeUIntBE(value, at + 1, size);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.head(majors.bytes, length);
    const at = this.#room(length);
    this.#bytes.write(value, at, "utf8");
  }

  float(value: number): void {
    const single = Math.fround(value) === value;
    const at = this.#room(single ? 5 : 9);
    this.#bytes[at] = single ? float32Byte : float64Byte;
    if (single) this.#bytes.writeFloatBE(value, at + 1);
    else this.#bytes.writeDoubleBE(value, at + 1);
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }
}

function write(out: Output, value: unknown, depth: number): void {
  if (depth > depthMax) throw new CborError("exceeded max depth");
  if (value === null || value === undefined) out.byte(nullByte);
  else if (typeof value === "string") out.text(value);
  else if (typeof value === "boolean") out.byte(value ? trueByte : falseByte);
  else if (typeof value === "number") writeNumber(out, value);
  else if (Array.isArray(value)) {
    out.head(majors.array, value.length);
    for (const item of value as unknown[]) write(out, item, depth + 1);
  } else {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    out.head(majors.map, entries.length);
    for (const [key, item] of entries) {
      out.text(key);
      write(out, item, depth + 1);
    }
  }
}

function writeNumber(out: Output, value: number): void {
  const whole = Number.isInteger(value) && Math.abs(value) < 2 ** 63 && !Object.is(value, -0);
  if (!whole) out.float(value);
  else if (value >= 0) out.head(majors.unsigned, value);
  else out.head(majors.negative, -1 - value);
}

/** One item, and that it is CBOR. */
export function encodeCbor(value: unknown): Buffer {
  const out = new Output();
  out.copy(selfDescribed);
  write(out, value, 0);
  return out.finish();
}

interface Decoded {
  readonly value: unknown;
  /** `duplicate field "spec.x"`, once for each. */
  readonly duplicates: readonly string[];
}

class Input {
  readonly bytes: Buffer;
  readonly duplicates = new Set<string>();
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  #take(count: number): Buffer {
    const end = this.at + count;
    if (end > this.bytes.length) throw new CborError("unexpected EOF");
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  #number(info: number): number {
    if (info < 24) return info;
    if (info === 27) return Number(this.#take(8).readBigUInt64BE());
    if (info > 27) throw new CborError("items of indefinite length are not allowed");
    const size = 1 << (info - 24);
    return this.#take(size).readUIntBE(0, size);
  }

  read(path: string, depth: number): unknown {
    if (depth > depthMax) throw new CborError(`exceeded max nested level ${depthMax}`);
    const first = this.#take(1)[0] as number;
    const major = first >> 5;
    if (major === majors.simple) return this.#simple(first & 31);
    const number = this.#number(first & 31);
    switch (major) {
      case majors.unsigned:
        return inRange(number);
      case majors.negative:
        return inRange(-1 - number);
      case majors.bytes:
      case majors.text:
        return utf8(this.#take(number));
      case majors.array:
        return this.#array(number, path, depth);
      case majors.map:
        return this.#map(number, path, depth);
      default:
        return this.#tagged(number, path, depth);
    }
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return finite(half(this.#take(2).readUInt16BE()));
      case 26:
        return finite(this.#take(4).readFloatBE());
      case 27:
        return finite(this.#take(8).readDoubleBE());
      default:
        throw new CborError(`simple value ${info} is not allowed`);
    }
  }

  #array(count: number, path: string, depth: number): unknown[] {
    if (count > this.bytes.length) throw new CborError("unexpected EOF");
    const items: unknown[] = [];
    for (let at = 0; at < count; at++) items.push(this.read(`${path}[${at}]`, depth + 1));
    return items;
  }

  #map(count: number, path: string, depth: number): JsonObject {
    const map: JsonObject = {};
    for (let at = 0; at < count; at++) {
      const key = this.read(path, depth + 1);
      if (typeof key !== "string") throw new CborError("map keys must be strings");
      const place = path === "" ? key : `${path}.${key}`;
      if (Object.hasOwn(map, key)) this.duplicates.add(`duplicate field ${JSON.stringify(place)}`);
      setOwn(map, key, this.read(place, depth + 1));
    }
    return map;
  }

  #tagged(tag: number, path: string, depth: number): unknown {
    const form = textForms[tag];
    if (form !== undefined && (this.bytes[this.at] ?? 0) >> 5 === majors.bytes) {
      const first = this.#take(1)[0] as number;
      return this.#take(this.#number(first & 31)).toString(form);
    }
    // Times are texts here.
    if (tag !== selfDescribedTag && tag !== 0) throw new CborError(`tag ${tag} is not allowed`);
    return this.read(path, depth + 1);
  }
}

function inRange(value: number): number {
  if (value > 2 ** 63 || value < -(2 ** 63)) throw new CborError(`${value} overflows int64`);
  return value;
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new CborError("NaN and infinities are not allowed");
  return value;
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >> 15 === 0 ? size : -size;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new CborError("invalid UTF-8 string", { cause: error });
  }
}

/** Exactly one item, as the JSON value that it stands for. */
export function decodeCbor(bytes: Uint8Array): Decoded {
  const input = new Input(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const value = input.read("", 0);
  if (input.at < input.bytes.length)
    throw new CborError(`${input.bytes.length - input.at} bytes of extraneous data`);
  return { value, duplicates: [...input.duplicates] };
}

/** The items of a sequence that has come so far, and what is left of it: a watch. */
export function decodeCborSequence(bytes: Buffer): { values: unknown[]; rest: Buffer } {
  const input = new Input(bytes);
  const values: unknown[] = [];
  let whole = 0;
  try {
    while (input.at < bytes.length) {
      values.push(input.read("", 0));
      whole = input.at;
    }
  } catch (error) {
    if (!(error instanceof CborError) || error.message !== "unexpected EOF") throw error;
  }
  return { values, rest: bytes.subarray(whole) };
}
