// Strict structural decoding of parsed JSON against a schema: gives the object in the one form the server keeps
// (documented field order, canonical quantities and times, empty optional fields left out), or the documented
// error for a wrong type. Unknown fields are dropped and reported, so that the caller can refuse or warn.
import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import {
  canonicalBase64,
  canonicalDuration,
  canonicalMicroTime,
  canonicalTime,
  type Canonical,
} from "./scalar-text.ts";
import {
  structSchema,
  type FieldSchema,
  type ListSchema,
  type MapSchema,
  type ScalarSchema,
  type Schema,
  type StructSchema,
} from "./schema.ts";

export { isObject, setOwn, type JsonObject };

/** A value does not fit its field. The message is how clients know it: `json: cannot unmarshal …`. */
export class DecodeError extends Error {
  override name = "DecodeError";
}

export interface Decoded {
  readonly object: JsonObject;
  /** `unknown field "spec.foo"`, each once, in document order; at most `strictErrorsMax`. */
  readonly strictErrors: readonly string[];
}

export const strictErrorsMax = 100;

/** A field name, a list index, or a map key: only field names show in type errors, all of them in strict errors. */
type PathPart = string | number | { readonly key: string };

const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "object" ? "object" : typeof value;
};

const compareKeys = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const range = { int32: 2 ** 31, int64: 2 ** 63 } as const;

interface Located {
  readonly path: readonly PathPart[];
  readonly message: string;
}

class Decoder {
  private readonly path: PathPart[] = [];
  /** The struct around each field on the path: errors name the innermost. */
  private readonly structs: StructSchema[] = [];
  readonly typeErrors: Located[] = [];
  readonly unknown: Located[] = [];

  decode(schema: Schema, value: unknown): unknown {
    switch (schema.type) {
      case "struct":
        return this.struct(schema, value);
      case "list":
        return this.list(schema, value);
      case "map":
        return this.map(schema, value);
      case "scalar":
        return this.scalar(schema, value);
      case "any":
        return value;
    }
  }

  private struct(schema: StructSchema, value: unknown): unknown {
    if (!isObject(value)) return this.mismatch(kindOf(value), schema.goType);
    const out: JsonObject = {};
    let found = 0;
    this.structs.push(schema);
    for (const field of schema.fields) {
      const raw = field.inherited && !Object.hasOwn(value, field.name) ? undefined : value[field.name];
      if (raw !== undefined) found++;
      const result = raw === undefined || raw === null ? zeroOf(field) : this.field(field, raw);
      if (result !== undefined) setOwn(out, field.name, result);
    }
    const keys = Object.keys(value);
    if (found !== keys.length) this.extraKeys(schema, value, keys, out);
    this.structs.pop();
    return out;
  }

  private field(field: FieldSchema, raw: unknown): unknown {
    this.path.push(field.name);
    const { schema } = field;
    const result = this.decode(schema, raw);
    this.path.pop();
    if (!field.emitEmpty && !field.pointer && isEmpty(schema, result)) return undefined;
    return result;
  }

  private extraKeys(schema: StructSchema, value: JsonObject, keys: string[], out: JsonObject): void {
    for (const key of keys) {
      if (schema.byName.has(key) || value[key] === undefined) continue;
      if (schema.preserveUnknown) setOwn(out, key, value[key]);
      else this.unknown.push({ path: [...this.path, key], message: "" });
    }
  }

  private list(schema: ListSchema, value: unknown): unknown {
    if (!Array.isArray(value)) return this.mismatch(kindOf(value), schema.goType);
    const { item } = schema;
    const at = this.path.length;
    const out: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      this.path[at] = i;
      const raw: unknown = value[i];
      out.push(raw === null && item.type !== "any" ? zeroValue(item) : this.decode(item, raw));
    }
    this.path.length = at;
    return out;
  }

  private map(schema: MapSchema, value: unknown): unknown {
    if (!isObject(value)) return this.mismatch(kindOf(value), schema.goType);
    const out: JsonObject = {};
    const at = this.path.length;
    for (const key of Object.keys(value).sort(compareKeys)) {
      this.path[at] = { key };
      const raw = value[key];
      const { value: item } = schema;
      const result = raw === null && item.type !== "any" ? zeroValue(item) : this.decode(item, raw);
      setOwn(out, key, result);
    }
    this.path.length = at;
    return out;
  }

  private scalar(schema: ScalarSchema, value: unknown): unknown {
    switch (schema.scalar) {
      case "string":
        return typeof value === "string" ? value : this.mismatch(kindOf(value), schema.goType);
      case "bool":
        return typeof value === "boolean" ? value : this.mismatch(kindOf(value), schema.goType);
      case "int32":
      case "int64":
        return this.integer(value, schema.scalar, schema.goType);
      case "double":
        return typeof value === "number" ? value : this.mismatch(kindOf(value), schema.goType);
      case "intorstring":
        return typeof value === "string" ? value : this.integer(value, "int32", "int32");
      case "quantity":
        return this.quantity(value);
      case "bytes":
        if (typeof value !== "string") return this.mismatch(kindOf(value), schema.goType);
        return this.text(canonicalBase64(value));
      case "time":
        return this.timeText(value, canonicalTime);
      case "microtime":
        return this.timeText(value, canonicalMicroTime);
      case "duration":
        return this.timeText(value, canonicalDuration);
      default:
        return this.schemaOr(schema, value);
    }
  }

  private integer(value: unknown, scalar: "int32" | "int64", goType: string): unknown {
    if (typeof value !== "number") return this.mismatch(kindOf(value), goType);
    const limit = range[scalar];
    if (Number.isInteger(value) && value >= -limit && value < limit) return value;
    return this.mismatch(`number ${value}`, goType);
  }

  private quantity(value: unknown): unknown {
    const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
    const result = canonicalQuantity(text);
    return "text" in result ? result.text : this.fail(result.error);
  }

  private timeText(value: unknown, canonical: (text: string) => Canonical): unknown {
    if (typeof value !== "string") return this.mismatch(kindOf(value), "string");
    return this.text(canonical(value));
  }

  private text(result: Canonical): unknown {
    return "text" in result ? result.text : this.fail(result.error);
  }

  /** The three places where a JSON schema may also be a boolean, a list of schemas or a list of names. */
  private schemaOr(schema: ScalarSchema, value: unknown): unknown {
    const props = structSchema("apiextensions/v1.JSONSchemaProps");
    if (isObject(value)) return this.decode(props, value);
    if (schema.scalar === "schemaorbool" && typeof value === "boolean") return value;
    if (schema.scalar === "schemaorbool") return this.fail("boolean or JSON schema expected");
    if (Array.isArray(value)) {
      const strings = schema.scalar === "schemaorstrings";
      return value.map((item: unknown) => (strings ? this.stringItem(item) : this.decode(props, item)));
    }
    return this.mismatch(kindOf(value), schema.goType);
  }

  private stringItem(item: unknown): unknown {
    return typeof item === "string" ? item : this.mismatch(kindOf(item), "string");
  }

  private mismatch(found: string, goType: string): undefined {
    const struct = this.structs.at(-1);
    const names = this.path.filter((part) => typeof part === "string");
    const where =
      struct === undefined || names.length === 0
        ? `Go value of type ${goType}`
        : `Go struct field ${struct.shortName}.${names.join(".")} of type ${goType}`;
    return this.fail(`json: cannot unmarshal ${found} into ${where}`);
  }

  private fail(message: string): undefined {
    this.typeErrors.push({ path: [...this.path], message });
    return undefined;
  }
}

/** What an absent field becomes in the kept form: nothing, for most. */
function zeroOf(field: FieldSchema): unknown {
  if (field.pointer || field.omitZero) return undefined;
  const { schema } = field;
  if (field.emitEmpty || isStructLike(schema)) return zeroValue(schema);
  return undefined;
}

/** Structs, and scalars that are structs underneath: `omitempty` never leaves these out. */
function isStructLike(schema: Schema): boolean {
  if (schema.type === "struct") return true;
  if (schema.type === "any") return true;
  return schema.type === "scalar" && !plainScalars.has(schema.scalar);
}

const plainScalars: ReadonlySet<string> = new Set(["string", "bool", "int32", "int64", "double", "bytes"]);

/**
 * The zero value as the server writes it. Lists and maps are empty, never null, so that readers can walk them; bytes
 * that nobody set are null: they and empty ones are written differently.
 */
export function zeroValue(schema: Schema): unknown {
  switch (schema.type) {
    case "struct":
      return zeroStruct(schema);
    case "list":
      return [];
    case "map":
      return {};
    case "any":
      return schema.scalar === "fields" ? {} : null;
    case "scalar":
      return zeroScalar(schema);
  }
}

function zeroStruct(schema: StructSchema): JsonObject {
  const out: JsonObject = {};
  for (const field of schema.fields) {
    const zero = zeroOf(field);
    if (zero !== undefined) out[field.name] = zero;
  }
  return out;
}

function zeroScalar(schema: ScalarSchema): unknown {
  switch (schema.scalar) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "double":
    case "intorstring":
      return 0;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    default:
      return null;
  }
}

function isEmpty(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case "list":
      return Array.isArray(value) && value.length === 0;
    case "map":
      return isObject(value) && Object.keys(value).length === 0;
    case "scalar":
      return value === "" || value === false || (value === 0 && schema.scalar !== "intorstring");
    default:
      return false;
  }
}

const partName = (part: PathPart): string | number => (typeof part === "object" ? part.key : part);

/** Orders errors as their places come in the document: the first one is the one that is told. */
function inDocumentOrder(root: unknown, located: readonly Located[]): readonly Located[] {
  if (located.length < 2) return located;
  const places = located.map((entry) => ({ entry, place: placeOf(root, entry.path) }));
  places.sort((a, b) => comparePlaces(a.place, b.place));
  return places.map(({ entry }) => entry);
}

function placeOf(root: unknown, path: readonly PathPart[]): number[] {
  let at = root;
  return path.map((part) => {
    const name = partName(part);
    const index = typeof name === "number" || !isObject(at) ? Number(name) : Object.keys(at).indexOf(name);
    at = (at as Record<string | number, unknown> | undefined)?.[name];
    return index;
  });
}

function comparePlaces(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `spec.containers[0].foo` */
export function strictPath(path: readonly (string | number | { readonly key: string })[]): string {
  let text = "";
  for (const part of path) {
    const name = partName(part);
    text += typeof name === "number" ? `[${name}]` : text === "" ? name : `.${name}`;
  }
  return text;
}

function decodePart(
  decoder: Decoder,
  schema: StructSchema,
  value: JsonObject,
  isDecoded: (field: string) => boolean,
): JsonObject {
  const rest: JsonObject = {};
  for (const key of Object.keys(value))
    if (!schema.byName.has(key) || !isDecoded(key)) setOwn(rest, key, value[key]);
  const decoded = decoder.decode(schema, rest) as JsonObject;
  const whole: JsonObject = {};
  // Fields in the schema's order, as they are stored.
  for (const { name } of schema.fields) {
    const from = isDecoded(name) && Object.hasOwn(value, name) ? value : decoded;
    if (Object.hasOwn(from, name)) setOwn(whole, name, from[name]);
  }
  for (const key of Object.keys(decoded)) if (!Object.hasOwn(whole, key)) setOwn(whole, key, decoded[key]);
  return whole;
}

/**
 * Decodes a parsed JSON value. Throws `DecodeError` when a value has the wrong type.
 * The result shares nothing with the input but what stands under free-form fields, and under the top-level fields that
 * the caller knows to be as they were once decoded: those are taken as they are.
 */
export function decodeObject(
  schema: StructSchema,
  value: unknown,
  isDecoded?: (field: string) => boolean,
): Decoded {
  if (schema.decode !== undefined) return schema.decode(value);
  const decoder = new Decoder();
  const object =
    isDecoded !== undefined && isObject(value)
      ? decodePart(decoder, schema, value, isDecoded)
      : (decoder.decode(schema, value) as JsonObject);
  const first = inDocumentOrder(value, decoder.typeErrors)[0];
  if (first !== undefined) throw new DecodeError(first.message);
  const unknown = inDocumentOrder(value, decoder.unknown.slice(0, strictErrorsMax));
  const errors = unknown.map(({ path }) => `unknown field ${JSON.stringify(strictPath(path))}`);
  return { object, strictErrors: [...new Set(errors)] };
}
