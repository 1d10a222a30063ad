// What a schema says about ownership and merging: which values are owned as a whole, which lists are sets or keyed,
// which maps are merged key by key. Built-in and custom schemas are the same node types, so both come through here;
// where there is no schema the shape is taken from the value: maps are merged, lists are owned as a whole.

import { isObject, type JsonObject } from "../json-object.ts";
import type { FieldSchema, ScalarSchema, Schema, StructSchema } from "../schema/schema.ts";
import {
  fieldElement,
  keyElement,
  keyLabel,
  valueElement,
  type KeyPart,
  type PathElement,
} from "./path-element.ts";

export interface LeafShape {
  readonly as: "leaf";
  /** For checking what a client applies; an atomic list or struct has its own schema here. */
  readonly schema: Schema | undefined;
}

export interface StructShape {
  readonly as: "struct";
  /** The declared field of that name. */
  field(name: string): FieldShape | undefined;
  /** How undeclared fields behave; undefined when there may be none. */
  readonly other: Shape | undefined;
}

export interface FieldShape {
  readonly element: PathElement;
  readonly shape: Shape;
}

export interface MapShape {
  readonly as: "map";
  readonly value: Shape;
}

export interface SetShape {
  readonly as: "set";
  readonly item: Shape;
}

interface KeyField {
  readonly name: string;
  readonly label: string;
  readonly defaultValue: unknown;
}

/** A list whose items are told apart by some of their fields. */
export interface KeyedShape {
  readonly as: "keyed";
  /** Sorted by name. */
  readonly keys: readonly KeyField[];
  readonly item: Shape;
}

/** Taken from the value. */
export interface DeducedShape {
  readonly as: "deduced";
}

export type Shape = LeafShape | StructShape | MapShape | SetShape | KeyedShape | DeducedShape;

export const deduced: DeducedShape = { as: "deduced" };
const untypedLeaf: LeafShape = { as: "leaf", schema: undefined };
const deducedMap: MapShape = { as: "map", value: deduced };

/** Settles a deduced shape by the value at hand. */
export function settle(shape: Shape, value: unknown): Exclude<Shape, DeducedShape> {
  if (shape.as !== "deduced") return shape;
  return isObject(value) ? deducedMap : untypedLeaf;
}

const shapes = new WeakMap<Schema, Shape>();

export function shapeOf(schema: Schema): Shape {
  let shape = shapes.get(schema);
  if (shape === undefined) shapes.set(schema, (shape = compile(schema)));
  return shape;
}

function compile(schema: Schema): Shape {
  switch (schema.type) {
    case "scalar":
      return jsonSchemaScalars.has(schema.scalar) ? deduced : { as: "leaf", schema };
    case "any":
      return deduced;
    case "struct":
      return schema.atomic ? { as: "leaf", schema } : structShape(schema);
    case "map":
      return schema.atomic ? { as: "leaf", schema } : { as: "map", value: shapeOf(schema.value) };
    case "list":
      return listShape(schema);
  }
}

/** JSON schemas that may also be a boolean or a list. */
const jsonSchemaScalars: ReadonlySet<ScalarSchema["scalar"]> = new Set([
  "schemaorarray",
  "schemaorbool",
  "schemaorstrings",
]);

function listShape(schema: Schema & { type: "list" }): Shape {
  switch (schema.listType) {
    case "atomic":
      return { as: "leaf", schema };
    case "set":
      return { as: "set", item: shapeOf(schema.item) };
    case "map": {
      const { item } = schema;
      const defaultOf = (name: string): unknown =>
        item.type === "struct" ? item.byName.get(name)?.defaultValue : undefined;
      const keys = [...schema.keys].sort().map((name) => ({
        name,
        label: keyLabel(name),
        defaultValue: defaultOf(name),
      }));
      return { as: "keyed", keys, item: shapeOf(item) };
    }
  }
}

/** Fields are resolved when asked for: schemas may contain themselves. */
function structShape(schema: StructSchema): StructShape {
  const known = new Map<string, FieldShape>();
  const resolve = (field: FieldSchema): FieldShape => {
    const made = { element: fieldElement(field.name), shape: shapeOf(field.schema) };
    known.set(field.name, made);
    return made;
  };
  return {
    as: "struct",
    other: schema.preserveUnknown ? deduced : undefined,
    field(name) {
      const found = known.get(name);
      if (found !== undefined) return found;
      const field = schema.byName.get(name);
      return field === undefined ? undefined : resolve(field);
    },
  };
}

/** The element and shape of one member of a struct or map. */
export function memberOf(shape: StructShape | MapShape, name: string): FieldShape {
  if (shape.as === "struct") {
    const declared = shape.field(name);
    if (declared !== undefined) return declared;
  }
  return { element: fieldElement(name), shape: shape.as === "map" ? shape.value : (shape.other ?? deduced) };
}

/** The path element of a list item, or the name of the key field that it lacks. */
export function itemElement(
  shape: SetShape | KeyedShape,
  item: unknown,
): { element: PathElement } | { lacks: string } {
  if (shape.as === "set") return { element: valueElement(item) };
  const fields: JsonObject = isObject(item) ? item : {};
  const keys: KeyPart[] = [];
  for (const { name, label, defaultValue } of shape.keys) {
    const value = Object.hasOwn(fields, name) ? fields[name] : defaultValue;
    if (value === undefined) return { lacks: name };
    keys.push({ label, value });
  }
  return { element: keyElement(keys) };
}

/** The items of a stored list. One that lacks a key field is known by the keys it has. */
export function itemsOf(shape: SetShape | KeyedShape, list: unknown): ReadonlyMap<PathElement, unknown[]> {
  const items = new Map<PathElement, unknown[]>();
  if (!Array.isArray(list)) return items;
  for (const item of list as unknown[]) {
    const element = storedElement(shape, item);
    const group = items.get(element);
    if (group === undefined) items.set(element, [item]);
    else group.push(item);
  }
  return items;
}

export function storedElement(shape: SetShape | KeyedShape, item: unknown): PathElement {
  const found = itemElement(shape, item);
  if ("element" in found) return found.element;
  const fields: JsonObject = isObject(item) ? item : {};
  const keys = shape.as === "keyed" ? shape.keys : [];
  return keyElement(
    keys.map(({ name, label, defaultValue }) => ({ label, value: fields[name] ?? defaultValue ?? null })),
  );
}
