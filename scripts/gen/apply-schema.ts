// Checks the fact table against the schema that Go clients use for server-side apply: list types, keys, defaults
// and atomic structs must be the same in both, since they come from the same markers by different ways.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { definitionName } from "../../src/machinery/schema/openapi.ts";
import { message, structSchema, type FieldSchema, type Schema } from "../../src/machinery/schema/schema.ts";
import { readFacts } from "../../src/machinery/schema/facts.ts";

interface ListShape {
  elementRelationship?: string;
  keys?: string[];
}
interface TypeShape {
  scalar?: string;
  namedType?: string;
  elementRelationship?: string;
  list?: ListShape;
  map?: { elementRelationship?: string; fields?: FieldShape[] };
}
interface FieldShape {
  name: string;
  type: TypeShape;
  default?: unknown;
}
interface NamedShape extends TypeShape {
  name: string;
}

const describeList = (schema: Schema): string => {
  if (schema.type !== "list") return schema.type;
  if (schema.listType === "atomic") return "list atomic";
  return `list associative ${schema.keys.join(",")}`.trim();
};

const describeTheirs = (list: ListShape): string =>
  list.elementRelationship === "atomic"
    ? "list atomic"
    : `list associative ${(list.keys ?? []).join(",")}`.trim();

const explicitDefault = (value: unknown): boolean =>
  value !== undefined && value !== "" && value !== 0 && value !== false && JSON.stringify(value) !== "{}";

function compareField(owner: string, ours: FieldSchema | undefined, theirs: FieldShape): string[] {
  const where = `${owner}.${theirs.name}`;
  if (ours === undefined) {
    const typeMeta = theirs.name === "apiVersion" || theirs.name === "kind";
    return typeMeta ? [] : [`${where}: not in the fact table`];
  }
  const problems: string[] = [];
  const { list, map } = theirs.type;
  if (list !== undefined && describeList(ours.schema) !== describeTheirs(list)) {
    problems.push(`${where}: ${describeList(ours.schema)}, but ${describeTheirs(list)}`);
  }
  const theirsAtomic = map?.elementRelationship === "atomic";
  if (map !== undefined && ours.schema.type === "map" && ours.schema.atomic !== theirsAtomic) {
    problems.push(`${where}: atomic map: ${ours.schema.atomic}, but ${theirsAtomic}`);
  }
  const same = JSON.stringify(ours.defaultValue) === JSON.stringify(theirs.default);
  if (explicitDefault(theirs.default) && !same) {
    problems.push(`${where}: default ${String(ours.defaultValue)}, but ${String(theirs.default)}`);
  }
  return problems;
}

/** Everything in which the two differ, as sentences. `goFile` holds the schema as one YAML document. */
export function compareWithApplySchema(goFile: string): string[] {
  const yaml = /typed\.YAMLObject\(`([\s\S]*?)`\)/.exec(readFileSync(goFile, "utf8"))?.[1] ?? "";
  const { types } = parse(yaml, { maxAliasCount: 0 }) as { types: NamedShape[] };
  const refs = new Map<string, string>();
  for (const [package_, { messages }] of Object.entries(readFacts())) {
    for (const name of Object.keys(messages)) {
      const ref = `${package_}.${name}`;
      refs.set(definitionName(ref), ref);
    }
  }
  return types.flatMap((type) => {
    const ref = refs.get(type.name);
    if (ref === undefined || type.map?.fields === undefined || message(ref) === undefined) return [];
    const struct = structSchema(ref);
    const problems = type.map.fields.flatMap((field) =>
      compareField(ref, struct.byName.get(field.name), field),
    );
    const theirsAtomic = type.map.elementRelationship === "atomic";
    if (struct.atomic !== theirsAtomic) problems.push(`${ref}: atomic ${struct.atomic}, but ${theirsAtomic}`);
    return problems;
  });
}
