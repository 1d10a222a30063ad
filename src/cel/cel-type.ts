// Types of the expression language: what a declaration says, what the checker finds. A type may know how much its
// values hold at most (`max`: bytes of a string, items of a list), which the estimate of costs reads.

type SimpleKind =
  | "dyn"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration"
  | "error";

export interface SimpleType {
  readonly kind: SimpleKind;
  readonly max?: number;
}
export interface ListType {
  readonly kind: "list";
  readonly element: CelType;
  readonly max?: number;
  /** How two lists are compared and joined; lists of expressions are plain. */
  readonly merge?: ListMerge;
}
export interface MapType {
  readonly kind: "map";
  readonly key: CelType;
  readonly value: CelType;
  readonly max?: number;
}
/** An object with known fields, told apart by its name. */
export interface ObjectType {
  readonly kind: "object";
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldDecl>;
  readonly max?: number;
}
/** A type of a library: `kubernetes.Quantity`, `optional_type(int)`. */
export interface OpaqueType {
  readonly kind: "opaque";
  readonly name: string;
  readonly params: readonly CelType[];
  readonly max?: number;
}
/** The type of a type: what `type(x)` and `int` as a value are. */
export interface TypeType {
  readonly kind: "type";
  readonly of: CelType;
  readonly max?: number;
}
/** A hole in a signature, or in the type of `[]`. */
export interface ParamType {
  readonly kind: "param";
  readonly name: string;
  readonly max?: number;
}
export type CelType = SimpleType | ListType | MapType | ObjectType | OpaqueType | TypeType | ParamType;

/** The list types of a schema: `keys` is there for maps. */
export interface ListMerge {
  readonly type: "set" | "map";
  readonly keys: readonly string[];
}

export interface FieldDecl {
  /** As expressions write it: escaped. */
  readonly name: string;
  /** As objects have it. */
  readonly property: string;
  readonly type: CelType;
}

const simple = (kind: SimpleKind): SimpleType => ({ kind });
export const dynType = simple("dyn");
export const nullType = simple("null");
export const boolType = simple("bool");
export const intType = simple("int");
export const uintType = simple("uint");
export const doubleType = simple("double");
export const stringType = simple("string");
export const bytesType = simple("bytes");
export const timestampType = simple("timestamp");
export const durationType = simple("duration");
/** Of an expression that has been complained about already. */
export const errorType = simple("error");

export const listOf = (element: CelType, max?: number): ListType => ({
  kind: "list",
  element,
  ...(max === undefined ? {} : { max }),
});
export const mapOf = (key: CelType, value: CelType, max?: number): MapType => ({
  kind: "map",
  key,
  value,
  ...(max === undefined ? {} : { max }),
});
export const opaque = (name: string, ...params: CelType[]): OpaqueType => ({ kind: "opaque", name, params });
export const optionalName = "optional_type";
export const optionalOf = (of: CelType): OpaqueType => opaque(optionalName, of);
export const typeOf = (of: CelType): TypeType => ({ kind: "type", of });
export const param = (name: string): ParamType => ({ kind: "param", name });

/** A declared object; its fields are named as expressions write them. */
export function objectType(name: string, fields: readonly FieldDecl[]): ObjectType {
  return { kind: "object", name, fields: new Map(fields.map((field) => [field.name, field])) };
}

/** A field whose name needs no escape. */
export const field = (name: string, type: CelType): FieldDecl => ({ name, property: name, type });

export const isOptional = (type: CelType): type is OpaqueType =>
  type.kind === "opaque" && type.name === optionalName;

/** As compile errors name a type. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${typeName(type.element)})`;
    case "map":
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case "object":
      return type.name;
    case "opaque":
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(typeName).join(", ")})`;
    case "type":
      return `type(${typeName(type.of)})`;
    case "param":
      return type.name;
    case "error":
      return "!error!";
    case "timestamp":
      return "timestamp";
    default:
      return type.kind;
  }
}
