// Sets of field paths, kept as the FieldsV1 tree itself: decoding trusted JSON and encoding are no work at all.
//
//   {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:replicas":{}}}
//   holds .metadata.labels, .metadata.labels.app and .spec.replicas
//
// A node is a member when it has `.` or no children. The root is never a member: `{}` is the empty set.
// Sets are never changed: operations return one of their operands wherever that is already the answer.

import { isObject } from "../json-object.ts";
import { canonicalElement, compareElements, type PathElement } from "./path-element.ts";

export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
}

type Draft = Record<PathElement, FieldSet>;
export type Path = readonly PathElement[];

export const emptySet: FieldSet = Object.freeze({});
/** A member without children. */
const leaf = emptySet;

/** Clients may not nest deeper than this. */
const depthMax = 128;

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

export const isMember = (node: FieldSet): boolean => node["."] !== undefined || isEmpty(node);

export type Child = readonly [PathElement, FieldSet];

/** A node of a set from children in any order. */
export function nodeOf(member: boolean, children: readonly Child[]): FieldSet {
  if (children.length === 0) return leaf;
  const node: Draft = member ? { ".": leaf } : {};
  for (const [element, child] of sorted(children)) node[element] = child;
  return node;
}

/** Most nodes have few children, and those nearly in order. */
const insertionMax = 32;

function sorted(children: readonly Child[]): readonly Child[] {
  let at = 1;
  while (at < children.length && ordered(children[at - 1] as Child, children[at] as Child)) at++;
  if (at >= children.length) return children;
  const out = [...children];
  if (out.length > insertionMax) return out.sort(([a], [b]) => compareElements(a, b));
  for (; at < out.length; at++) {
    const child = out[at] as Child;
    let to = at;
    for (; to > 0 && !ordered(out[to - 1] as Child, child); to--) out[to] = out[to - 1] as Child;
    out[to] = child;
  }
  return out;
}

const ordered = (a: Child, b: Child): boolean => compareElements(a[0], b[0]) <= 0;

export function setOf(...paths: readonly Path[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, single(path)), emptySet);
}

function single(path: Path): FieldSet {
  return path.reduceRight<FieldSet>((child, element) => ({ [element]: child }), leaf);
}

export function has(set: FieldSet, path: Path): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) {
    node = node[element];
    if (node === undefined) return false;
  }
  return path.length > 0 && isMember(node);
}

/** Every path of `a` and of `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  return isEmpty(a) ? b : unionNodes(a, b, false);
}

function unionNodes(a: FieldSet, b: FieldSet, nested: boolean): FieldSet {
  if (a === b) return a;
  const member = nested && (isMember(a) || isMember(b));
  const added: [PathElement, FieldSet][] = [];
  const changed = new Map<PathElement, FieldSet>();
  for (const element in b) {
    if (element === ".") continue;
    const mine = a[element];
    const theirs = b[element] as FieldSet;
    if (mine === undefined) added.push([element, theirs]);
    else {
      const both = unionNodes(mine, theirs, true);
      if (both !== mine) changed.set(element, both);
    }
  }
  if (added.length === 0 && changed.size === 0 && (!member || isMember(a))) return a;
  const children: [PathElement, FieldSet][] = [];
  for (const element in a)
    if (element !== ".") children.push([element, changed.get(element) ?? (a[element] as FieldSet)]);
  return nodeOf(member, [...children, ...added]);
}

/** The paths of `a` that are not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return emptySet;
  return isEmpty(a) || isEmpty(b) ? a : (differenceNodes(a, b, false) ?? emptySet);
}

function differenceNodes(a: FieldSet, b: FieldSet, nested: boolean): FieldSet | undefined {
  const was = nested && isMember(a);
  const member = was && !isMember(b);
  let same = was === member;
  const children: [PathElement, FieldSet][] = [];
  for (const element in a) {
    if (element === ".") continue;
    const mine = a[element] as FieldSet;
    const theirs = b[element];
    const rest = theirs === undefined ? mine : differenceNodes(mine, theirs, true);
    if (rest !== mine) same = false;
    if (rest !== undefined) children.push([element, rest]);
  }
  if (same) return a;
  return children.length > 0 ? nodeOf(member, children) : member ? leaf : undefined;
}

/** The paths of `a` that neither are in `b` nor stand below a path of `b`. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(b) ? a : (withoutNodes(a, b) ?? emptySet);
}

function withoutNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  let same = true;
  const children: [PathElement, FieldSet][] = [];
  for (const element in a) {
    if (element === ".") continue;
    const mine = a[element] as FieldSet;
    const theirs = b[element];
    const rest = theirs === undefined ? mine : isMember(theirs) ? undefined : withoutNodes(mine, theirs);
    if (rest !== mine) same = false;
    if (rest !== undefined) children.push([element, rest]);
  }
  if (same) return a;
  const member = a["."] !== undefined;
  return children.length > 0 ? nodeOf(member, children) : member ? leaf : undefined;
}

/** The paths that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  return isEmpty(a) || isEmpty(b) ? emptySet : (intersectNodes(a, b, false) ?? emptySet);
}

function intersectNodes(a: FieldSet, b: FieldSet, nested: boolean): FieldSet | undefined {
  const member = nested && isMember(a) && isMember(b);
  const children: [PathElement, FieldSet][] = [];
  for (const element in a) {
    const theirs = b[element];
    if (element === "." || theirs === undefined) continue;
    const both = intersectNodes(a[element] as FieldSet, theirs, true);
    if (both !== undefined) children.push([element, both]);
  }
  return children.length > 0 ? nodeOf(member, children) : member ? leaf : undefined;
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  let count = 0;
  for (const element in a) {
    const theirs = b[element];
    if (theirs === undefined || !sameSet(a[element] as FieldSet, theirs)) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** All paths in canonical order: a path comes before those below it. */
export function* pathsOf(set: FieldSet): Generator<Path> {
  yield* pathsBelow(set, []);
}

function* pathsBelow(node: FieldSet, path: Path): Generator<Path> {
  for (const element in node) {
    if (element === ".") continue;
    const child = node[element] as FieldSet;
    const here = [...path, element];
    if (isMember(child)) yield here;
    yield* pathsBelow(child, here);
  }
}

/** The set of its paths that have none below them. */
export function leaves(set: FieldSet): FieldSet {
  const children: [PathElement, FieldSet][] = [];
  for (const element in set) if (element !== ".") children.push([element, leaves(set[element] as FieldSet)]);
  return nodeOf(false, children);
}

/** Bad FieldsV1 from a client. */
export class FieldsError extends Error {
  override name = "FieldsError";
}

/** FieldsV1 that a client wrote, in the canonical order and spelling. */
export function decodeFields(value: unknown, depth = 0): FieldSet {
  if (!isObject(value)) throw new FieldsError("FieldsV1: an object was expected");
  if (depth > depthMax) throw new FieldsError("FieldsV1: nested too deeply");
  const children = new Map<PathElement, FieldSet>();
  for (const [text, below] of Object.entries(value)) {
    if (text === ".") continue;
    const element = canonicalElement(text);
    if (element === undefined) throw new FieldsError(`FieldsV1: ${JSON.stringify(text)} is no path element`);
    children.set(element, decodeFields(below, depth + 1));
  }
  return nodeOf(depth > 0 && Object.hasOwn(value, "."), [...children]);
}
