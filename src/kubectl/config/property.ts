// `kubectl config set PROPERTY VALUE` and `unset PROPERTY`: a dotted name → the change it stands for. Pure.

import type { KubeConfig } from "#client/kubeconfig.ts";
import { isObject, type JsonObject } from "#machinery/json-object.ts";
import { CommandError } from "../command.ts";
import { parseBool } from "../flags.ts";
import type { Change } from "./change.ts";
import { entriesOf, fields, sections, type FieldType, type Section } from "./shape.ts";

interface Property {
  readonly section: Section;
  /** Missing: the whole section. */
  readonly name?: string;
  /** Of the entry; none: the entry as a whole. */
  readonly path: readonly string[];
}

function parseProperty(property: string): Property | "current-context" {
  if (property === "current-context") return property;
  const [first = "", ...rest] = property.split(".");
  const section = sections.find((one) => one === first);
  if (section === undefined) throw new CommandError(`unable to parse ${property} after [] at api.Config`);
  if (rest.length === 0) return { section, path: [] };
  // Names may hold dots: the path is what can be one, from the right.
  for (const length of [2, 1]) {
    const path = rest.slice(-length);
    if (rest.length > length && isPath(fields[section], path))
      return { section, name: rest.slice(0, -length).join("."), path };
  }
  return { section, name: rest.join("."), path: [] };
}

function isPath(types: { readonly [field: string]: FieldType }, path: readonly string[]): boolean {
  const [head = "", ...rest] = path;
  const type = Object.hasOwn(types, head) ? types[head] : undefined;
  if (type === undefined) return false;
  return rest.length === 0 || (typeof type === "object" && isPath(type, rest));
}

function typeAt(section: Section, path: readonly string[]): FieldType {
  let type: FieldType = fields[section];
  for (const field of path) type = (type as { readonly [field: string]: FieldType })[field] ?? "other";
  return type;
}

function parseValue(property: string, type: FieldType, text: string, rawBytes: boolean): unknown {
  switch (type) {
    case "string":
      return text;
    case "bool": {
      const value = parseBool(text);
      if (value === undefined)
        throw new CommandError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
      return value;
    }
    case "bytes": {
      if (rawBytes) return Buffer.from(text).toString("base64");
      const bad = [...text].findIndex((letter) => !/[A-Za-z0-9+/=]/.test(letter));
      if (bad >= 0 || text.length % 4 !== 0)
        throw new CommandError(
          `error decoding input value: illegal base64 data at input byte ${bad < 0 ? text.length - (text.length % 4) : bad}`,
        );
      return text;
    }
    default:
      throw new CommandError(`unable to parse one or more field values of ${property}`);
  }
}

const valueOf = (config: KubeConfig, section: Section, name: string): JsonObject | undefined =>
  entriesOf(config, section).find((entry) => entry.name === name)?.value;

function withField(value: JsonObject, path: readonly string[], set: unknown): JsonObject {
  const [head = "", ...rest] = path;
  const next = { ...value };
  if (rest.length > 0) {
    const below = value[head];
    next[head] = withField(isObject(below) ? below : {}, rest, set);
  } else if (set === undefined) delete next[head];
  else next[head] = set;
  return next;
}

export function setProperty(config: KubeConfig, property: string, text: string, rawBytes: boolean): Change {
  const parsed = parseProperty(property);
  if (parsed === "current-context") return { kind: "current-context", value: text };
  const { section, name, path } = parsed;
  if (name === undefined || path.length === 0)
    throw new CommandError(`can't set a map to a value: ${property}`);
  const value = parseValue(property, typeAt(section, path), text, rawBytes);
  return {
    kind: "entry",
    section,
    name,
    value: withField(valueOf(config, section, name) ?? {}, path, value),
  };
}

/** No change where there is nothing of that name. */
export function unsetProperty(config: KubeConfig, property: string): Change | undefined {
  const parsed = parseProperty(property);
  if (parsed === "current-context") return { kind: "current-context", value: "" };
  const { section, name, path } = parsed;
  if (name === undefined) return { kind: "clear", section };
  const value = valueOf(config, section, name);
  if (path.length === 0) return value === undefined ? undefined : { kind: "entry", section, name };
  if (value === undefined) throw new CommandError(`current map key \`${name}\` is invalid`);
  return { kind: "entry", section, name, value: withField(value, path, undefined) };
}
