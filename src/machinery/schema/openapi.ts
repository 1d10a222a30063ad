// OpenAPI building blocks from the fact table: v2 definitions and v3 component schemas of built-in messages, with
// the names, formats and x-kubernetes-* extensions that clients read. Made anew for whoever asks.
// The API server puts paths around them.
import { message, enumValues, messageRefFor, structSchema } from "./schema.ts";
import { readFacts, type Field, type Message, type Scalar, type Type } from "./facts.ts";

export type OpenApiStyle = "v2" | "v3";
export interface OpenApiSchema {
  [key: string]: unknown;
}

/** Text for a message (`field` absent) or one of its fields; nothing is said where it gives undefined. */
export type Describe = (ref: string, field?: string) => string | undefined;

const facts = readFacts();
const metaV1 = "io.k8s.apimachinery.pkg.apis.meta.v1";
const apiextensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** Special scalars are definitions of their own. */
const scalarNames: { readonly [scalar in Scalar]?: string } = {
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  intorstring: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  time: `${metaV1}.Time`,
  microtime: `${metaV1}.MicroTime`,
  duration: `${metaV1}.Duration`,
  fields: `${metaV1}.FieldsV1`,
  raw: "io.k8s.apimachinery.pkg.runtime.RawExtension",
  json: `${apiextensions}.JSON`,
  schemaorarray: `${apiextensions}.JSONSchemaPropsOrArray`,
  schemaorbool: `${apiextensions}.JSONSchemaPropsOrBool`,
  schemaorstrings: `${apiextensions}.JSONSchemaPropsOrStringArray`,
};

const plainScalars: { readonly [scalar in Scalar]?: OpenApiSchema } = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
};

const zeros: { readonly [scalar in Scalar]?: unknown } = {
  string: "",
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
};

function scalarDefinition(scalar: Scalar, style: OpenApiStyle): OpenApiSchema {
  switch (scalar) {
    case "quantity":
      return style === "v2" ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] };
    case "intorstring":
      return style === "v2"
        ? { type: "string", format: "int-or-string" }
        : { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] };
    case "time":
    case "microtime":
      return { type: "string", format: "date-time" };
    case "duration":
      return { type: "string" };
    case "raw":
    case "fields":
      return { type: "object" };
    default:
      return {};
  }
}

/** `core/v1.Pod` → `io.k8s.api.core.v1.Pod` */
export function definitionName(ref: string): string {
  const dot = ref.indexOf(".");
  const prefix = facts[ref.slice(0, dot)]?.openapi;
  if (prefix === undefined) throw new Error(`no API package of ${ref}`);
  return `${prefix}.${ref.slice(dot + 1)}`;
}

const refText = (name: string, style: OpenApiStyle): string =>
  style === "v2" ? `#/definitions/${name}` : `#/components/schemas/${name}`;

/** Collects what a schema refers to, so that a document holds all it needs. */
interface Build {
  readonly style: OpenApiStyle;
  readonly needs: Set<string>;
  readonly describe: Describe;
}

const namedReference = (build: Build, need: string, name: string): OpenApiSchema => {
  build.needs.add(need);
  return { $ref: refText(name, build.style) };
};

/** A type without what its field says about it. `element`: inside a list or map, where zero values are defaults. */
function typeSchema(build: Build, type: Type, element: boolean): OpenApiSchema {
  if (type.list !== undefined) return { type: "array", items: typeSchema(build, type.list, true) };
  if (type.map !== undefined) {
    return { type: "object", additionalProperties: typeSchema(build, type.map, true) };
  }
  const fallback = element && build.style === "v3" && !type.pointer;
  if (type.message !== undefined) {
    const reference = namedReference(build, type.message, definitionName(type.message));
    return fallback ? { allOf: [reference], default: {} } : reference;
  }
  const scalar = type.scalar ?? "string";
  const plain = plainScalars[scalar];
  if (plain === undefined) return namedReference(build, `:${scalar}`, scalarNames[scalar] ?? scalar);
  const values = type.named === undefined ? undefined : enumValues(type.named);
  const zero = zeros[scalar];
  return {
    ...plain,
    ...(values === undefined ? {} : { enum: values }),
    ...(fallback && zero !== undefined ? { default: zero } : {}),
  };
}

function extensions(field: Field): OpenApiSchema {
  const out: OpenApiSchema = {};
  if (field.listMapKeys !== undefined) out["x-kubernetes-list-map-keys"] = field.listMapKeys;
  if (field.listType !== undefined) out["x-kubernetes-list-type"] = field.listType;
  if (field.atomic) out["x-kubernetes-map-type"] = "atomic";
  if (field.mergeKey !== undefined) out["x-kubernetes-patch-merge-key"] = field.mergeKey;
  if (field.patchStrategy !== undefined) out["x-kubernetes-patch-strategy"] = field.patchStrategy;
  return out;
}

function defaultOf(field: Field): unknown {
  if (field.defaultValue !== undefined) return field.defaultValue;
  const { type } = field;
  if (type.pointer || type.list !== undefined || type.map !== undefined) return undefined;
  if (type.message !== undefined) return {};
  return field.emitEmpty ? zeros[type.scalar ?? "string"] : undefined;
}

function fieldSchema(build: Build, ref: string, field: Field): OpenApiSchema {
  const base = typeSchema(build, field.type, false);
  // A field of which nothing is said has its type's text: clients look no further than the field.
  const of = field.type.message;
  const said = build.describe(ref, field.name) ?? (of === undefined ? undefined : build.describe(of));
  const fallback = build.style === "v3" ? defaultOf(field) : undefined;
  const around: OpenApiSchema = {
    ...(said === undefined ? {} : { description: said }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...extensions(field),
  };
  // OpenAPI v3 ignores what stands beside a $ref: wrap it.
  const wrap = build.style === "v3" && "$ref" in base && Object.keys(around).length > 0;
  return wrap ? { ...around, allOf: [base] } : { ...base, ...around };
}

/** Inline structs give their fields to the parent. */
function jsonFields(source: Message): Field[] {
  return source.fields.flatMap((field) => {
    if (!field.inline) return [field];
    const inner = message(field.type.message ?? "");
    return inner === undefined ? [] : jsonFields(inner);
  });
}

const typeMetaFields = ["apiVersion", "kind"];

function messageSchema(build: Build, ref: string): OpenApiSchema {
  const source = message(ref);
  if (source === undefined) throw new Error(`no API message ${ref}`);
  const fields = jsonFields(source);
  const properties: [string, OpenApiSchema][] = fields.map((field) => [
    field.name,
    fieldSchema(build, ref, field),
  ]);
  if (source.hasTypeMeta) {
    for (const name of typeMetaFields) {
      const said = build.describe(ref, name);
      properties.push([name, { ...(said === undefined ? {} : { description: said }), type: "string" }]);
    }
  }
  properties.sort(([a], [b]) => (a < b ? -1 : 1));
  const required = fields.filter((field) => field.required).map((field) => field.name);
  const kinds = groupVersionKinds(ref);
  const said = build.describe(ref);
  return {
    ...(said === undefined ? {} : { description: said }),
    type: "object",
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(kinds.length > 0 ? { "x-kubernetes-group-version-kind": kinds } : {}),
    ...(source.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
}

interface Gvk {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}
let kindIndex: Map<string, Gvk[]> | undefined;

/** Under which groups, versions and kinds a message travels at the top level. */
export function groupVersionKinds(ref: string): readonly Gvk[] {
  kindIndex ??= buildKindIndex();
  return kindIndex.get(ref) ?? [];
}

const everywhere = ["DeleteOptions", "WatchEvent"];
const coreAnswers = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"];

function buildKindIndex(): Map<string, Gvk[]> {
  const index = new Map<string, Gvk[]>();
  const add = (ref: string, gvk: Gvk): void => void index.set(ref, [...(index.get(ref) ?? []), gvk]);
  const groups = Object.entries(facts).sort(([, a], [, b]) =>
    `${a.group}/${a.version}` < `${b.group}/${b.version}` ? -1 : 1,
  );
  for (const [package_, { group, version, kinds }] of groups) {
    if (package_ === "meta/v1") continue;
    for (const kind of kinds) add(`${package_}.${kind}`, { group, kind, version });
    for (const kind of everywhere) add(`meta/v1.${kind}`, { group, kind, version });
  }
  for (const kind of coreAnswers) add(`meta/v1.${kind}`, { group: "", kind, version: "v1" });
  return index;
}

interface Made {
  readonly name: string;
  readonly schema: OpenApiSchema;
  readonly needs: readonly string[];
}

const silent: Describe = () => undefined;

function make(need: string, style: OpenApiStyle, describe: Describe): Made {
  const build: Build = { style, needs: new Set(), describe };
  const scalar = need.startsWith(":") ? (need.slice(1) as Scalar) : undefined;
  return {
    name: scalar === undefined ? definitionName(need) : (scalarNames[scalar] ?? scalar),
    schema: scalar === undefined ? messageSchema(build, need) : scalarDefinition(scalar, style),
    needs: [...build.needs],
  };
}

/**
 * The schemas of these messages (`core/v1.Pod`, as `messageRefFor` names them) and of all that they refer to, by
 * definition name in alphabetical order: `definitions` of a v2 document, `components.schemas` of a v3 one.
 */
export function openApiSchemas(
  refs: readonly string[],
  style: OpenApiStyle,
  describe: Describe = silent,
): Record<string, OpenApiSchema> {
  const found = new Map<string, OpenApiSchema>();
  const seen = new Set<string>();
  const queue = [...refs];
  for (let need = queue.pop(); need !== undefined; need = queue.pop()) {
    if (seen.has(need)) continue;
    seen.add(need);
    const { name, schema, needs } = make(need, style, describe);
    found.set(name, schema);
    queue.push(...needs);
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `{$ref}` to a built-in kind, for the paths of a document. Undefined when the kind is not built in. */
export function openApiRef(
  kind: { readonly group: string; readonly version: string; readonly kind: string },
  style: OpenApiStyle,
): { $ref: string } | undefined {
  const ref = messageRefFor(kind.group, kind.version, kind.kind);
  return ref === undefined ? undefined : { $ref: refText(definitionName(structSchema(ref).name), style) };
}
