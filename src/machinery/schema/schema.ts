// Schemas of API objects: the shape that decoding, patching, applying and OpenAPI walk. Built-in messages are
// compiled lazily from the fact table; a CustomResourceDefinition compiles to the same node types.
import type { Decoded } from "./decode.ts";
import { parseMessage, readFacts, type Field, type Message, type Scalar, type Type } from "./facts.ts";

export type Schema = StructSchema | MapSchema | ListSchema | ScalarSchema | AnySchema;

interface Node {
  /** How a Go client would name the type in a decode error: `[]v1.Container`. */
  readonly goType: string;
}

export interface StructSchema extends Node {
  readonly type: "struct";
  /** `core/v1.PodSpec` for built-in messages, otherwise any name that tells them apart. */
  readonly name: string;
  /** `PodSpec` */
  readonly shortName: string;
  /** JSON fields in their documented order, inline structs flattened. */
  readonly fields: readonly FieldSchema[];
  readonly byName: ReadonlyMap<string, FieldSchema>;
  /** Server-side apply owns it as a whole. */
  readonly atomic: boolean;
  /** Unknown fields are kept as they are. */
  readonly preserveUnknown: boolean;
  /** Has `apiVersion` and `kind` of its own. */
  readonly hasTypeMeta: boolean;
  /** Decodes a whole object of a kind that is not built in: by its own schema, in which other rules hold. */
  readonly decode?: (value: unknown) => Decoded;
}

export interface MapSchema extends Node {
  readonly type: "map";
  readonly value: Schema;
  readonly atomic: boolean;
}

export interface ListSchema extends Node {
  readonly type: "list";
  readonly item: Schema;
  /** How server-side apply merges it. */
  readonly listType: "atomic" | "set" | "map";
  readonly keys: readonly string[];
}

export interface ScalarSchema extends Node {
  readonly type: "scalar";
  readonly scalar: Scalar;
  readonly enum?: readonly string[];
}

/** Any JSON value, kept as it is. */
export interface AnySchema extends Node {
  readonly type: "any";
  readonly scalar: Scalar;
}

export class FieldSchema {
  readonly name: string;
  readonly required: boolean;
  /** Absent and zero differ. */
  readonly pointer: boolean;
  readonly emitEmpty: boolean;
  readonly omitZero: boolean;
  readonly defaultValue: unknown;
  /** Strategic merge patch. */
  readonly mergeKey: string | undefined;
  readonly patchStrategy: readonly string[];
  /** The name is one that every object inherits: look for own properties only. */
  readonly inherited: boolean;
  private compile: (() => Schema) | undefined;
  private compiled: Schema | undefined;

  constructor(field: Omit<Field, "type" | "number" | "inline">, pointer: boolean, compile: () => Schema) {
    this.name = field.name;
    this.required = field.required;
    this.pointer = pointer;
    this.emitEmpty = field.emitEmpty;
    this.omitZero = field.omitZero;
    this.defaultValue = field.defaultValue;
    this.mergeKey = field.mergeKey;
    this.patchStrategy = field.patchStrategy?.split(",") ?? [];
    this.inherited = field.name in Object.prototype;
    this.compile = compile;
  }

  get schema(): Schema {
    if (this.compiled === undefined) {
      const compile = this.compile;
      if (compile === undefined) throw new Error(`the schema of field ${this.name} refers to itself`);
      this.compile = undefined;
      this.compiled = compile();
    }
    return this.compiled;
  }
}

const facts = readFacts();
const messages = new Map<string, Message>();
const structs = new Map<string, StructSchema>();

/** The facts of a message by its reference, `core/v1.PodSpec`. Undefined when there is none. */
export function message(ref: string): Message | undefined {
  const known = messages.get(ref);
  if (known !== undefined) return known;
  const dot = ref.indexOf(".");
  const package_ = ref.slice(0, dot);
  const name = ref.slice(dot + 1);
  if (!Object.hasOwn(facts, package_)) return undefined;
  const rows = facts[package_]?.messages ?? {};
  if (!Object.hasOwn(rows, name)) return undefined;
  const parsed = parseMessage(package_, name, rows[name] ?? "");
  messages.set(ref, parsed);
  return parsed;
}

function mustMessage(ref: string): Message {
  const found = message(ref);
  if (found === undefined) throw new Error(`no API message ${ref}`);
  return found;
}

/** `core/v1.Container` → `v1.Container`, `types.UID` stays. */
const goName = (ref: string): string => ref.slice(ref.indexOf("/") + 1);

const goScalars: { readonly [scalar in Scalar]: string } = {
  string: "string",
  bool: "bool",
  int32: "int32",
  int64: "int64",
  double: "float64",
  bytes: "[]uint8",
  quantity: "resource.Quantity",
  intorstring: "intstr.IntOrString",
  time: "v1.Time",
  microtime: "v1.MicroTime",
  duration: "v1.Duration",
  fields: "v1.FieldsV1",
  raw: "runtime.RawExtension",
  json: "v1.JSON",
  schemaorarray: "v1.JSONSchemaPropsOrArray",
  schemaorbool: "v1.JSONSchemaPropsOrBool",
  schemaorstrings: "v1.JSONSchemaPropsOrStringArray",
};

export function goTypeOf(type: Type): string {
  if (type.named !== undefined) return goName(type.named);
  if (type.list !== undefined) return `[]${pointerMark(type.list)}${goTypeOf(type.list)}`;
  if (type.map !== undefined) {
    const key = type.mapKey === undefined ? "string" : goName(type.mapKey);
    return `map[${key}]${pointerMark(type.map)}${goTypeOf(type.map)}`;
  }
  return type.message === undefined ? goScalars[type.scalar ?? "string"] : goName(type.message);
}

const pointerMark = (type: Type): string => (type.pointer ? "*" : "");

const anyScalars: ReadonlySet<Scalar> = new Set(["raw", "json", "fields"]);

function compileType(type: Type, field: Partial<Field>): Schema {
  const goType = goTypeOf(type);
  if (type.message !== undefined) return structSchema(type.message);
  if (type.map !== undefined) {
    return { type: "map", goType, value: compileType(type.map, {}), atomic: field.atomic ?? false };
  }
  if (type.list !== undefined) {
    const listType = field.listType === "map" || field.listType === "set" ? field.listType : "atomic";
    const item = compileType(type.list, {});
    return { type: "list", goType, item, listType, keys: field.listMapKeys ?? [] };
  }
  const scalar = type.scalar ?? "string";
  if (anyScalars.has(scalar)) return { type: "any", goType, scalar };
  const values = type.named === undefined ? undefined : enumValues(type.named);
  return { type: "scalar", goType, scalar, ...(values === undefined ? {} : { enum: values }) };
}

/** The documented values of a named string type, e.g. `core/v1.Protocol`. */
export function enumValues(named: string): readonly string[] | undefined {
  const dot = named.indexOf(".");
  return facts[named.slice(0, dot)]?.enums[named.slice(dot + 1)];
}

const plainField = { required: false, emitEmpty: false, omitZero: false, atomic: false };

/** A plain optional string field, as `kind` and `apiVersion` are. */
const typeMetaField = (name: string): FieldSchema =>
  new FieldSchema({ ...plainField, name }, false, () => ({
    type: "scalar",
    goType: "string",
    scalar: "string",
  }));

/** The JSON fields of a message in order; inline structs contribute theirs in place. */
function flatten(source: Message, out: FieldSchema[]): FieldSchema[] {
  for (const field of source.fields) {
    if (field.inline) flatten(mustMessage(field.type.message ?? ""), out);
    else out.push(new FieldSchema(field, field.type.pointer, () => compileType(field.type, field)));
  }
  return out;
}

/** The schema of a built-in message by its reference, `core/v1.PodSpec`. Throws when there is none. */
export function structSchema(ref: string): StructSchema {
  const known = structs.get(ref);
  if (known !== undefined) return known;
  const source = mustMessage(ref);
  const head = source.hasTypeMeta ? [typeMetaField("kind"), typeMetaField("apiVersion")] : [];
  const fields = flatten(source, head);
  const schema: StructSchema = {
    type: "struct",
    name: ref,
    shortName: source.name,
    goType: goName(ref),
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    atomic: source.atomic,
    preserveUnknown: false,
    hasTypeMeta: source.hasTypeMeta,
  };
  structs.set(ref, schema);
  return schema;
}

const packagesByGroupVersion = new Map(
  Object.entries(facts)
    .filter(([name]) => name !== "meta/v1")
    .map(([name, { group, version }]) => [`${group}/${version}`, name]),
);

/** Kinds that travel under every group and version: options of requests, watch events, plain answers. */
const sharedKinds: ReadonlySet<string> = new Set([
  "CreateOptions",
  "DeleteOptions",
  "GetOptions",
  "ListOptions",
  "PatchOptions",
  "UpdateOptions",
]);
const coreAnswers: ReadonlySet<string> = new Set([
  "Status",
  "APIVersions",
  "APIGroup",
  "APIGroupList",
  "APIResourceList",
]);

/** The message reference of a kind, `core/v1.Pod`; undefined when it is not built in. */
export function messageRefFor(group: string, version: string, kind: string): string | undefined {
  if (kind === "WatchEvent") return "meta/v1.WatchEvent";
  if (group === "meta.k8s.io" || sharedKinds.has(kind)) {
    return message(`meta/v1.${kind}`)?.hasTypeMeta === true ? `meta/v1.${kind}` : undefined;
  }
  if (group === "" && version === "v1" && coreAnswers.has(kind)) return `meta/v1.${kind}`;
  const package_ = packagesByGroupVersion.get(`${group}/${version}`);
  if (package_ === undefined) return undefined;
  return facts[package_]?.kinds.includes(kind) === true ? `${package_}.${kind}` : undefined;
}

/** The schema of a built-in kind, or undefined. */
export function schemaFor(group: string, version: string, kind: string): StructSchema | undefined {
  const ref = messageRefFor(group, version, kind);
  return ref === undefined ? undefined : structSchema(ref);
}

/** All built-in kinds of a group and version, e.g. to build OpenAPI documents. */
export function kindsOf(group: string, version: string): readonly string[] {
  const package_ = packagesByGroupVersion.get(`${group}/${version}`);
  return package_ === undefined ? [] : (facts[package_]?.kinds ?? []);
}

/** The child schema under a JSON key or list index; undefined where there is none. */
export function childSchema(schema: Schema, key: string | number): Schema | undefined {
  switch (schema.type) {
    case "struct":
      return typeof key === "string" ? schema.byName.get(key)?.schema : undefined;
    case "map":
      return schema.value;
    case "list":
      return schema.item;
    default:
      return undefined;
  }
}

/** Follows a path such as `["spec", "containers", 0, "image"]`. */
export function schemaAt(schema: Schema, path: readonly (string | number)[]): Schema | undefined {
  let at: Schema | undefined = schema;
  for (const key of path) {
    if (at === undefined) return undefined;
    at = childSchema(at, key);
  }
  return at;
}
