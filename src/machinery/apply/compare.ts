// What a change did to an object, as sets of field paths: added, modified, removed. Paths that do not count
// (server-owned metadata, parts that the resource resets) are given as `ignored` and never looked at.

import { isObject, type JsonObject } from "../json-object.ts";
import { sameJson } from "./equal.ts";
import { emptySet, isMember, nodeOf, type FieldSet } from "./field-set.ts";
import type { PathElement } from "./path-element.ts";
import {
  itemsOf,
  memberOf,
  settle,
  storedElement,
  type DeducedShape,
  type KeyedShape,
  type MapShape,
  type SetShape,
  type Shape,
  type StructShape,
} from "./shape.ts";

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export const noChange: Comparison = { added: emptySet, modified: emptySet, removed: emptySet };

const leaf = emptySet;
type Children = [PathElement, FieldSet][];

/** What changed at one place; absent parts are empty. */
interface Change {
  readonly added?: FieldSet;
  readonly modified?: FieldSet;
  readonly removed?: FieldSet;
}

const leafModified: Change = { modified: leaf };

export function compare(shape: Shape, before: unknown, after: unknown, ignored: FieldSet): Comparison {
  const change = compareBoth(shape, before, after, ignored);
  return change === undefined ? noChange : { ...noChange, ...change };
}

const isEmptyValue = (value: unknown): boolean => {
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isObject(value)) return false;
  for (const _ in value) return false;
  return true;
};

/** Both sides are there (each may be null). */
function compareBoth(
  given: Shape,
  before: unknown,
  after: unknown,
  ignored: FieldSet | undefined,
): Change | undefined {
  if (before === after) return undefined;
  const shape = settle(given, after);
  if (given.as === "deduced") {
    const was = settle(given, before);
    if (was.as !== shape.as) return replaced(given, before);
  }
  switch (shape.as) {
    case "leaf":
      return sameJson(before, after) ? undefined : leafModified;
    case "struct":
    case "map":
      if (isEmptyValue(before) && isEmptyValue(after))
        return sameJson(before, after) ? undefined : leafModified;
      return compareMembers(shape, asObject(before), asObject(after), ignored);
    case "set":
    case "keyed":
      if (isEmptyValue(before) && isEmptyValue(after))
        return sameJson(before, after) ? undefined : leafModified;
      return compareItems(shape, before, after);
  }
}

/** A map became a scalar or the other way round. */
function replaced(given: DeducedShape, before: unknown): Change {
  const node = wholeSet(given, before);
  const children = Object.entries(node).filter(([element]) => element !== ".");
  return children.length === 0 ? leafModified : { modified: leaf, removed: nodeOf(false, children) };
}

const none: JsonObject = {};
const asObject = (value: unknown): JsonObject => (isObject(value) ? value : none);

/** JSON objects inherit nothing but what every object does. */
const ownValue = (object: JsonObject, name: string): unknown =>
  name in Object.prototype && !Object.hasOwn(object, name) ? undefined : object[name];

class Changes {
  private added: Children | undefined;
  private modified: Children | undefined;
  private removed: Children | undefined;

  add(element: PathElement, change: Change | undefined): void {
    if (change === undefined) return;
    if (change.added !== undefined) (this.added ??= []).push([element, change.added]);
    if (change.modified !== undefined) (this.modified ??= []).push([element, change.modified]);
    if (change.removed !== undefined) (this.removed ??= []).push([element, change.removed]);
  }

  result(): Change | undefined {
    const { added, modified, removed } = this;
    if (added === undefined && modified === undefined && removed === undefined) return undefined;
    return {
      ...(added === undefined ? {} : { added: nodeOf(false, added) }),
      ...(modified === undefined ? {} : { modified: nodeOf(false, modified) }),
      ...(removed === undefined ? {} : { removed: nodeOf(false, removed) }),
    };
  }
}

function compareMembers(
  shape: StructShape | MapShape,
  before: JsonObject,
  after: JsonObject,
  ignored: FieldSet | undefined,
): Change | undefined {
  const changes = new Changes();
  let common = 0;
  for (const name in after) {
    const value = after[name];
    const old = ownValue(before, name);
    if (old !== undefined) common++;
    if (value === old || value === undefined) continue;
    const member = memberOf(shape, name);
    const skip = ignored?.[member.element];
    if (skip !== undefined && isMember(skip)) continue;
    changes.add(
      member.element,
      old === undefined
        ? { added: wholeSet(member.shape, value, skip) }
        : compareBoth(member.shape, old, value, skip),
    );
  }
  for (const name in before) if (before[name] !== undefined) common--;
  if (common === 0) return changes.result();
  for (const name in before) {
    const old = before[name];
    if (old === undefined || ownValue(after, name) !== undefined) continue;
    const member = memberOf(shape, name);
    const skip = ignored?.[member.element];
    if (skip !== undefined && isMember(skip)) continue;
    changes.add(member.element, { removed: wholeSet(member.shape, old, skip) });
  }
  return changes.result();
}

function compareItems(shape: SetShape | KeyedShape, before: unknown, after: unknown): Change | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || !inStep(shape, before, after))
    return compareGroups(shape, before, after);
  const changes = new Changes();
  const seen = new Set<PathElement>();
  for (const [at, item] of after.entries()) {
    const change = compareBoth(shape.item, before[at], item, undefined);
    if (change === undefined) continue;
    const element = storedElement(shape, item);
    if (seen.has(element)) return compareGroups(shape, before, after);
    seen.add(element);
    changes.add(element, change);
  }
  return changes.result();
}

/** The same items in the same order: the usual case, in which elements need not be made to tell items apart. */
function inStep(
  shape: SetShape | KeyedShape,
  before: readonly unknown[],
  after: readonly unknown[],
): boolean {
  if (before.length !== after.length) return false;
  return after.every((item, at) => {
    const was = before[at];
    if (shape.as === "set") return item === was;
    if (!isObject(item) || !isObject(was)) return false;
    return shape.keys.every(({ name }) => ownValue(item, name) === ownValue(was, name));
  });
}

function compareGroups(shape: SetShape | KeyedShape, before: unknown, after: unknown): Change | undefined {
  const changes = new Changes();
  const old = itemsOf(shape, before);
  const next = itemsOf(shape, after);
  for (const [element, items] of next) {
    const were = old.get(element);
    if (were === undefined) changes.add(element, { added: groupSet(shape, items) });
    else if (were.length === 1 && items.length === 1)
      changes.add(element, compareBoth(shape.item, were[0], items[0], undefined));
    else if (!sameJson(were, items)) changes.add(element, leafModified);
  }
  for (const [element, items] of old)
    if (!next.has(element)) changes.add(element, { removed: groupSet(shape, items) });
  return changes.result();
}

const groupSet = (shape: SetShape | KeyedShape, items: readonly unknown[]): FieldSet =>
  items.length === 1 ? wholeSet(shape.item, items[0]) : leaf;

/** Every path of a value that was not there before (or is not there any longer), its own included. */
export function wholeSet(given: Shape, value: unknown, ignored?: FieldSet): FieldSet {
  const shape = settle(given, value);
  if (shape.as === "leaf" || isEmptyValue(value)) return leaf;
  const children: Children = [];
  if (shape.as === "struct" || shape.as === "map") {
    for (const name in value as JsonObject) {
      const inner = (value as JsonObject)[name];
      if (inner === undefined) continue;
      const member = memberOf(shape, name);
      const skip = ignored?.[member.element];
      if (skip === undefined || !isMember(skip))
        children.push([member.element, wholeSet(member.shape, inner, skip)]);
    }
  } else {
    for (const [element, items] of itemsOf(shape, value)) children.push([element, groupSet(shape, items)]);
  }
  return nodeOf(true, children);
}
