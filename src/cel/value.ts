// Values of the expression language. Booleans, strings and null are JavaScript's; an int is a bigint, a double a
// number. Lists, maps and objects of API data are views: an entry is read when it is asked for. Errors are thrown.
import type { CelType, ListMerge, ObjectType } from "./cel-type.ts";
import { typeName } from "./cel-type.ts";

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | UintValue
  | TimestampValue
  | DurationValue
  | ListValue
  | MapValue
  | ObjectValue
  | OptionalValue
  | TypeValue
  | OpaqueValue;

/** An evaluation that ends without a value: `no such key: x`. */
export class EvaluationError extends Error {}

/** The budget of an evaluation is spent: nothing may go on after it. */
export class CostExceeded extends Error {
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

export const noSuchOverload = (): EvaluationError => new EvaluationError("no such overload");

export class UintValue {
  readonly amount: bigint;
  constructor(amount: bigint) {
    this.amount = amount;
  }
}
/** Nanoseconds since 1970. */
export class TimestampValue {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class DurationValue {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
/** `present` tells none from the optional that holds null. */
export class OptionalValue {
  readonly present: boolean;
  readonly value: Value;
  private constructor(present: boolean, value: Value) {
    this.present = present;
    this.value = value;
  }
  static readonly none = new OptionalValue(false, null);
  static of(value: Value): OptionalValue {
    return new OptionalValue(true, value);
  }
}
/** A value of a library; equal are those of one type with the same `identity`. */
export abstract class OpaqueValue {
  abstract readonly typeName: string;
  abstract get identity(): string;
}

type FromData = (raw: unknown) => Value;

/** Items are read when they are asked for; two lists in a row are no copy of either. */
export class ListValue {
  readonly length: number;
  readonly merge: ListMerge | undefined;
  private readonly read: (index: number) => Value;

  private constructor(length: number, read: (index: number) => Value, merge: ListMerge | undefined) {
    this.length = length;
    this.read = read;
    this.merge = merge;
  }

  static of(values: readonly Value[], merge?: ListMerge): ListValue {
    return new ListValue(values.length, (index) => values[index] as Value, merge);
  }

  static view(source: readonly unknown[], read: FromData, merge?: ListMerge): ListValue {
    return new ListValue(source.length, (index) => read(source[index]), merge);
  }

  static joined(a: ListValue, b: ListValue): ListValue {
    const read = (index: number): Value => (index < a.length ? a.at(index) : b.at(index - a.length));
    return new ListValue(a.length + b.length, read, undefined);
  }

  at(index: number): Value {
    return this.read(index);
  }

  *[Symbol.iterator](): Generator<Value> {
    for (let i = 0; i < this.length; i++) yield this.read(i);
  }
}

/** How a key stands in a map: numbers of all types that are the same amount are one key. */
export type MapKey = string | boolean | bigint;

export function mapKey(value: Value): MapKey | undefined {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint") return value;
  if (value instanceof UintValue) return value.amount;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  return undefined;
}

export abstract class MapValue {
  abstract readonly size: number;
  /** Undefined where there is no such key. */
  abstract get(key: Value): Value | undefined;
  abstract keys(): Iterable<Value>;
  abstract entries(): Iterable<readonly [Value, Value]>;
}

/** A map that an expression made. */
export class EntriesMap extends MapValue {
  private readonly byKey: ReadonlyMap<MapKey, readonly [Value, Value]>;

  constructor(entries: ReadonlyMap<MapKey, readonly [Value, Value]>) {
    super();
    this.byKey = entries;
  }

  override get size(): number {
    return this.byKey.size;
  }

  override get(key: Value): Value | undefined {
    const known = mapKey(key);
    return known === undefined ? undefined : this.byKey.get(known)?.[1];
  }

  override *keys(): Generator<Value> {
    for (const [key] of this.byKey.values()) yield key;
  }

  override entries(): Iterable<readonly [Value, Value]> {
    return this.byKey.values();
  }
}

/** A map of API data: names are its keys. */
export class DataMap extends MapValue {
  private readonly data: Readonly<Record<string, unknown>>;
  private readonly read: FromData;
  private names: readonly string[] | undefined;

  constructor(data: object, read: FromData) {
    super();
    this.data = data as Readonly<Record<string, unknown>>;
    this.read = read;
  }

  private get known(): readonly string[] {
    this.names ??= Object.keys(this.data);
    return this.names;
  }

  override get size(): number {
    return this.known.length;
  }

  override get(key: Value): Value | undefined {
    return typeof key === "string" && Object.hasOwn(this.data, key) ? this.read(this.data[key]) : undefined;
  }

  override keys(): Iterable<Value> {
    return this.known;
  }

  override *entries(): Generator<readonly [Value, Value]> {
    for (const name of this.known) yield [name, this.read(this.data[name])];
  }
}

/** An object of a declared type. Fields whose value is null count as absent. */
export abstract class ObjectValue {
  readonly type: ObjectType;

  constructor(type: ObjectType) {
    this.type = type;
  }

  /** By the name in expressions; undefined where it is not set. */
  abstract get(name: string): Value | undefined;
}

export class DataObject extends ObjectValue {
  private readonly data: Readonly<Record<string, unknown>>;
  private readonly read: (raw: unknown, type: CelType) => Value;

  constructor(type: ObjectType, data: object, read: (raw: unknown, type: CelType) => Value) {
    super(type);
    this.data = data as Readonly<Record<string, unknown>>;
    this.read = read;
  }

  override get(name: string): Value | undefined {
    const field = this.type.fields.get(name);
    if (field === undefined || !Object.hasOwn(this.data, field.property)) return undefined;
    const raw = this.data[field.property];
    return raw === null || raw === undefined ? undefined : this.read(raw, field.type);
  }
}

/** An object that an expression made. */
export class BuiltObject extends ObjectValue {
  private readonly fields: ReadonlyMap<string, Value>;

  constructor(type: ObjectType, fields: ReadonlyMap<string, Value>) {
    super(type);
    this.fields = fields;
  }

  override get(name: string): Value | undefined {
    return this.fields.get(name);
  }
}

/** An object whose fields are computed when they are asked for, each once, whether that works or not: `variables`. */
export class LazyObject extends ObjectValue {
  private readonly compute: (name: string) => Value | undefined;
  private readonly known = new Map<string, Value | EvaluationError | undefined>();

  constructor(type: ObjectType, compute: (name: string) => Value | undefined) {
    super(type);
    this.compute = compute;
  }

  override get(name: string): Value | undefined {
    if (!this.known.has(name)) this.known.set(name, this.attempt(name));
    const value = this.known.get(name);
    if (value instanceof EvaluationError) throw value;
    return value;
  }

  private attempt(name: string): Value | EvaluationError | undefined {
    try {
      return this.compute(name);
    } catch (thrown) {
      if (thrown instanceof EvaluationError) return thrown;
      throw thrown;
    }
  }
}

/** The name of a value's type at run time, as `type(x)` gives it. */
export function runtimeTypeName(value: Value): string {
  if (value === null) return "null_type";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    default:
      return objectTypeName(value);
  }
}

function objectTypeName(value: Exclude<Value, null | boolean | bigint | number | string>): string {
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof UintValue) return "uint";
  if (value instanceof TimestampValue) return "google.protobuf.Timestamp";
  if (value instanceof DurationValue) return "google.protobuf.Duration";
  if (value instanceof ListValue) return "list";
  if (value instanceof MapValue) return "map";
  if (value instanceof ObjectValue) return typeName(value.type);
  if (value instanceof OptionalValue) return "optional_type";
  if (value instanceof TypeValue) return "type";
  return value.typeName;
}

/** A key, in messages. */
export const describeKey = (key: Value): string => String(key instanceof UintValue ? key.amount : key);
