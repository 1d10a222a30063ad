// The field paths that an applied configuration speaks for, and what in it does not fit the schema.
// Unlike a change, a configuration does not own the structs and maps around its fields, unless they are empty.

import { isObject, type JsonObject } from "../json-object.ts";
import type { ScalarSchema, Schema } from "../schema/schema.ts";
import { emptySet, isMember, nodeOf, type FieldSet } from "./field-set.ts";
import { briefText, fullText, typeText } from "./go-value.ts";
import { printPath, type PathElement } from "./path-element.ts";
import {
  deduced,
  itemElement,
  memberOf,
  settle,
  shapeOf,
  type KeyedShape,
  type MapShape,
  type SetShape,
  type Shape,
  type StructShape,
} from "./shape.ts";

export interface Applied {
  readonly set: FieldSet;
  /** `.spec.foo: field not declared in schema`, each a sentence. */
  readonly errors: readonly string[];
}

const leaf = emptySet;
/** A long list of the same mistake helps nobody. */
const errorsMax = 100;

export function appliedSet(shape: Shape, config: unknown, ignored: FieldSet): Applied {
  const reader = new Reader();
  const set = reader.node(shape, config, [], ignored) ?? emptySet;
  return { set, errors: reader.errors };
}

class Reader {
  readonly errors: string[] = [];

  /** What this value owns; undefined for nothing. Membership of the place itself is the caller's to decide. */
  node(
    given: Shape,
    value: unknown,
    path: readonly PathElement[],
    ignored: FieldSet | undefined,
  ): FieldSet | undefined {
    const shape = settle(given, value);
    if (value === null) return leaf;
    switch (shape.as) {
      case "leaf":
        if (shape.schema !== undefined) this.checkValue(shape.schema, value, path);
        return leaf;
      case "struct":
      case "map":
        if (!isObject(value)) return this.fail(path, `expected map, got &{${briefText(value)}}`);
        return this.members(shape, value, path, ignored);
      case "set":
      case "keyed":
        if (!Array.isArray(value)) return this.fail(path, `expected list, got &{${briefText(value)}}`);
        return this.items(shape, value, path);
    }
  }

  private members(
    shape: StructShape | MapShape,
    value: JsonObject,
    path: readonly PathElement[],
    ignored: FieldSet | undefined,
  ): FieldSet | undefined {
    const children: [PathElement, FieldSet][] = [];
    for (const name of Object.keys(value)) {
      const inner = value[name];
      if (inner === undefined) continue;
      const { element, shape: own } = memberOf(shape, name);
      const here = [...path, element];
      const declared = shape.as === "struct" && shape.field(name) !== undefined;
      if (shape.as === "struct" && !declared && shape.other === undefined) {
        this.fail(here, "field not declared in schema");
        continue;
      }
      const skip = ignored?.[element];
      const below = this.node(own, inner, here, skip);
      if (skip !== undefined && isMember(skip)) continue;
      const emptyMap = isObject(inner) && Object.keys(inner).length === 0;
      const member = inner === null || emptyMap || !declared;
      const node = member ? memberNode(below) : below;
      if (node !== undefined) children.push([element, node]);
    }
    return children.length === 0 ? undefined : nodeOf(false, children);
  }

  private items(
    shape: SetShape | KeyedShape,
    list: readonly unknown[],
    path: readonly PathElement[],
  ): FieldSet | undefined {
    const children = new Map<PathElement, FieldSet>();
    for (const [at, item] of list.entries()) {
      const found = itemElement(shape, item);
      if ("lacks" in found) {
        const why = `associative list with keys has an element that omits key field ${JSON.stringify(found.lacks)} (and doesn't have default value)`;
        this.fail(path, `element ${at}: ${why}`);
        continue;
      }
      const { element } = found;
      if (children.has(element)) this.fail(path, `duplicate entries for key ${printPath([element])}`);
      children.set(element, memberNode(this.node(shape.item, item, [...path, element], undefined)));
    }
    return children.size === 0 ? undefined : nodeOf(false, [...children]);
  }

  /** Values that are owned as a whole still have to fit. */
  private checkValue(schema: Schema, value: unknown, path: readonly PathElement[]): void {
    if (value === null) return;
    switch (schema.type) {
      case "scalar":
        this.checkScalar(schema, value, path);
        return;
      case "any":
        return;
      case "struct":
        if (!isObject(value)) this.fail(path, `expected map, got &{${briefText(value)}}`);
        else
          for (const [name, inner] of Object.entries(value)) {
            const field = schema.byName.get(name);
            const here = [...path, `f:${name}`];
            if (field !== undefined) this.checkValue(field.schema, inner, here);
            else if (!schema.preserveUnknown) this.fail(here, "field not declared in schema");
          }
        return;
      case "map":
        if (!isObject(value)) this.fail(path, `expected map, got &{${briefText(value)}}`);
        else
          for (const [name, inner] of Object.entries(value))
            this.checkValue(schema.value, inner, [...path, `f:${name}`]);
        return;
      case "list":
        if (!Array.isArray(value)) this.fail(path, `expected list, got &{${briefText(value)}}`);
        else this.checkItems(schema, value, path);
    }
  }

  private checkItems(
    schema: Schema & { type: "list" },
    list: readonly unknown[],
    path: readonly PathElement[],
  ): void {
    // Below an owned whole, keyed lists are named by their keys all the same.
    const shape = schema.listType === "atomic" ? undefined : shapeOf(schema);
    for (const [at, item] of list.entries()) {
      const keyed = shape?.as === "keyed" || shape?.as === "set" ? itemElement(shape, item) : undefined;
      const element = keyed !== undefined && "element" in keyed ? keyed.element : `i:${at}`;
      this.checkValue(schema.item, item, [...path, element]);
    }
  }

  private checkScalar(schema: ScalarSchema, value: unknown, path: readonly PathElement[]): void {
    switch (schema.scalar) {
      case "int32":
      case "int64":
      case "double":
        if (typeof value !== "number")
          this.fail(path, `expected numeric (int or float), got ${typeText(value)}`);
        return;
      case "bool":
        if (typeof value !== "boolean") this.fail(path, `expected boolean, got &{${briefText(value)}}`);
        return;
      case "quantity":
      case "intorstring":
        if (typeof value === "object") this.fail(path, `expected scalar, got &{${briefText(value)}}`);
        return;
      case "schemaorarray":
      case "schemaorbool":
      case "schemaorstrings":
        // A JSON schema, or what may stand in its place: decoding judges it.
        return;
      default:
        if (typeof value !== "string")
          this.fail(path, `expected string, got &value.valueUnstructured{Value:${fullText(value)}}`);
    }
  }

  private fail(path: readonly PathElement[], why: string): undefined {
    if (this.errors.length < errorsMax) this.errors.push(`${printPath(path)}: ${why}`);
    return undefined;
  }
}

/** The same node, and a member. */
function memberNode(node: FieldSet | undefined): FieldSet {
  if (node === undefined || isMember(node)) return node ?? leaf;
  return nodeOf(true, Object.entries(node));
}

/** Several errors are a list, one is a sentence. */
export const errorsText = (errors: readonly string[]): string =>
  errors.length === 1 ? (errors[0] as string) : `errors:\n${errors.map((text) => `  ${text}`).join("\n")}`;

/**
 * A set with the structs above its paths: what a manager that no longer applies a field no longer holds up either.
 * Map entries and list items are members only where the set says so.
 */
export function withStructs(shape: Shape, set: FieldSet): FieldSet {
  const children: [PathElement, FieldSet][] = [];
  for (const element of Object.keys(set)) {
    if (element === ".") continue;
    const node = set[element] as FieldSet;
    const isField = shape.as === "struct" && element.startsWith("f:");
    const declared = isField ? shape.field(element.slice(2)) : undefined;
    const inner = withStructs(declared?.shape ?? below(shape), node);
    children.push([element, declared === undefined ? inner : memberNode(inner)]);
  }
  return nodeOf(set["."] !== undefined, children);
}

function below(shape: Shape): Shape {
  if (shape.as === "map") return shape.value;
  return shape.as === "keyed" || shape.as === "set" ? shape.item : deduced;
}
