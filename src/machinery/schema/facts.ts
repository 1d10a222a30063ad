// Reads the fact table of the built-in API messages: one row of text per message, parsed when first asked for.
//
// Row:    `; `-separated fields; a leading `@atomic` or `@cluster` marks the message.
// Field:  `jsonName number type flag…`; number 0 has no protobuf form. `~TypeMeta` = apiVersion and kind;
//         `~protoName number Type` = a struct whose fields stand in its parent in JSON, a message in protobuf.
// Type:   prefixes `*` optional, `[]` list, `{Key}` map, `Name=` named type, `Name#` named type that is a
//         message with `items` in protobuf; then a scalar (lower case) or a message (`Pod`, `meta/v1.ObjectMeta`).
// Flags:  `!` required, `e` written even when empty, `z` left out when zero, `m=` patch merge key, `p=` patch
//         strategy, `l=` list type, `k=` list map keys, `a` atomic struct or map, `d=` default as JSON (last).
import factTable from "../gen/facts.json" with { type: "json" };

export interface GroupVersionFacts {
  readonly group: string;
  readonly version: string;
  /** Prefix of OpenAPI definition names: `io.k8s.api.core.v1`. */
  readonly openapi: string;
  readonly kinds: readonly string[];
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly messages: Readonly<Record<string, string>>;
}

/** By package: `core/v1`, `apps/v1`, `meta/v1`. */
export type FactTable = Readonly<Record<string, GroupVersionFacts>>;

export type Scalar =
  | "string"
  | "bool"
  | "int32"
  | "int64"
  | "double"
  | "bytes"
  | "quantity"
  | "intorstring"
  | "time"
  | "microtime"
  | "duration"
  | "fields"
  | "raw"
  | "json"
  | "schemaorarray"
  | "schemaorbool"
  | "schemaorstrings";

/** Exactly one of `list`, `map`, `message`, `scalar` is set. */
export interface Type {
  /** May be absent: a zero value is then different from no value. */
  readonly pointer: boolean;
  /** Name of a named type (`core/v1.PullPolicy`), as error messages show it. */
  readonly named?: string;
  /** In protobuf a message with a repeated `items`. */
  readonly wrapped?: boolean;
  readonly list?: Type;
  readonly map?: Type;
  /** Name of the map's key type; absent for `string`. */
  readonly mapKey?: string;
  /** `core/v1.PodSpec` */
  readonly message?: string;
  readonly scalar?: Scalar;
}

export interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: Type;
  /** Its fields stand in the parent in JSON; `name` is the protobuf name. */
  readonly inline: boolean;
  readonly required: boolean;
  /** Written even when empty (Go: no `omitempty`). */
  readonly emitEmpty: boolean;
  /** Left out when zero although a struct (Go: `omitzero`). */
  readonly omitZero: boolean;
  readonly mergeKey?: string;
  readonly patchStrategy?: string;
  readonly listType?: string;
  readonly listMapKeys?: readonly string[];
  readonly atomic: boolean;
  readonly defaultValue?: unknown;
}

export interface Message {
  /** `core/v1.Pod` */
  readonly ref: string;
  readonly package: string;
  readonly name: string;
  readonly hasTypeMeta: boolean;
  readonly atomic: boolean;
  readonly clusterScoped: boolean;
  readonly fields: readonly Field[];
}

export const readFacts = (): FactTable => factTable;

const qualified = (package_: string, name: string): string =>
  name.includes(".") ? name : `${package_}.${name}`;

export const parseType = (package_: string, text: string): Type => {
  if (text.startsWith("*")) return { ...parseType(package_, text.slice(1)), pointer: true };
  if (text.startsWith("[]")) return { pointer: false, list: parseType(package_, text.slice(2)) };
  if (text.startsWith("{")) {
    const end = text.indexOf("}");
    const key = text.slice(1, end);
    const map = parseType(package_, text.slice(end + 1));
    return { pointer: false, map, ...(key === "" ? {} : { mapKey: qualified(package_, key) }) };
  }
  const named = /^([\w/.]+)([=#])(.*)$/.exec(text);
  if (named) {
    const type = parseType(package_, named[3] ?? "");
    const name = qualified(package_, named[1] ?? "");
    return named[2] === "#" ? { ...type, named: name, wrapped: true } : { ...type, named: name };
  }
  const first = text.charCodeAt(0);
  const isScalar = first >= 97 && first <= 122 && !text.includes(".");
  return isScalar
    ? { pointer: false, scalar: text as Scalar }
    : { pointer: false, message: qualified(package_, text) };
};

const parseFlags = (flags: readonly string[]): Partial<Field> => {
  const out: { -readonly [K in keyof Field]?: Field[K] } = {};
  for (const flag of flags) {
    const value = flag.slice(2);
    if (flag === "!") out.required = out.emitEmpty = true;
    else if (flag === "e") out.emitEmpty = true;
    else if (flag === "z") out.omitZero = true;
    else if (flag === "a") out.atomic = true;
    else if (flag.startsWith("m=")) out.mergeKey = value;
    else if (flag.startsWith("p=")) out.patchStrategy = value;
    else if (flag.startsWith("l=")) out.listType = value;
    else if (flag.startsWith("k=")) out.listMapKeys = value.split(",");
    else if (flag.startsWith("d=")) out.defaultValue = JSON.parse(value) as unknown;
  }
  return out;
};

const plain = { inline: false, required: false, emitEmpty: false, omitZero: false, atomic: false };

const parseField = (package_: string, row: string): Field => {
  const [name = "", number = "0", type = "", ...flags] = row.split(" ");
  const inline = name.startsWith("~");
  return {
    ...plain,
    name: inline ? name.slice(1) : name,
    number: Number(number),
    type: parseType(package_, type),
    inline,
    ...parseFlags(flags),
  };
};

export const parseMessage = (package_: string, name: string, row: string): Message => {
  const rows = row === "" ? [] : row.split("; ");
  return {
    ref: `${package_}.${name}`,
    package: package_,
    name,
    hasTypeMeta: rows.includes("~TypeMeta"),
    atomic: rows.includes("@atomic"),
    clusterScoped: rows.includes("@cluster"),
    fields: rows
      .filter((part) => part !== "~TypeMeta" && !part.startsWith("@"))
      .map((part) => parseField(package_, part)),
  };
};
