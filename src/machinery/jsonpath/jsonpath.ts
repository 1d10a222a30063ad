// What a JSONPath template finds in a value, and how that is printed. Pure.

import { escapeJson } from "../codec/json-print.ts";
import { isObject } from "../json-object.ts";
import { goTypeName, goText } from "./go-text.ts";
import { JsonPathError, parseJsonPath, type PathNode } from "./jsonpath-parse.ts";

export { JsonPathError, relaxedPath } from "./jsonpath-parse.ts";

interface Settings {
  readonly allowMissing: boolean;
}

const isBasic = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

const kindOf = (value: string | number | boolean): string =>
  typeof value === "number" ? (Number.isInteger(value) ? "int" : "float") : typeof value;

function compare(operator: string, left: unknown, right: unknown): boolean {
  if (!["<", ">", "<=", ">=", "==", "!="].includes(operator))
    throw new JsonPathError(`unrecognized filter operator ${operator}`);
  if (!isBasic(left) || !isBasic(right)) throw new JsonPathError("invalid type for comparison");
  if (kindOf(left) !== kindOf(right)) throw new JsonPathError("incompatible types for comparison");
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left === "boolean") throw new JsonPathError("invalid type for comparison");
  const less = left < right;
  switch (operator) {
    case "<":
      return less;
    case ">=":
      return !less;
    case ">":
      return !less && left !== right;
    default:
      return less || left === right;
  }
}

class Evaluator {
  private readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Each node works on what the one before it found. */
  chain(input: readonly unknown[], nodes: readonly PathNode[]): readonly unknown[] {
    let found = input;
    for (const node of nodes) found = this.step(found, node);
    return found;
  }

  private step(input: readonly unknown[], node: PathNode): readonly unknown[] {
    switch (node.kind) {
      case "text":
        return [node.text];
      case "value":
        return [node.value];
      case "action":
        return this.chain(input, node.nodes);
      case "field":
        return this.field(input, node.name);
      case "wildcard":
        return input.flatMap((value) => this.children(value));
      case "recursive":
        return input.flatMap((value) => this.descend(value));
      case "slice":
        return input.flatMap((value) => this.slice(value, node));
      case "union":
        return node.members.flatMap((member) => [...this.chain(input, member)]);
      case "filter":
        return input.flatMap((value) => this.filter(value, node));
      case "word":
        if (node.word === "range") return input;
        throw new JsonPathError(
          node.word === "end" ? "not in range, nothing to end" : `unrecognized identifier ${node.word}`,
        );
    }
  }

  private field(input: readonly unknown[], name: string): unknown[] {
    const found = input.filter((value) => isObject(value) && Object.hasOwn(value, name));
    if (found.length === 0 && !this.settings.allowMissing) throw new JsonPathError(`${name} is not found`);
    return found.map((value) => (value as Record<string, unknown>)[name]);
  }

  private children(value: unknown): unknown[] {
    if (Array.isArray(value)) return value as unknown[];
    if (!isObject(value)) return [];
    return Object.keys(value)
      .sort()
      .map((key) => value[key]);
  }

  /** The value and everything in it that is not empty, outermost first. */
  private descend(value: unknown): unknown[] {
    if (!Array.isArray(value) && !isObject(value))
      return value === null || value === undefined ? [] : [value];
    return [value, ...this.children(value).flatMap((child) => this.descend(child))];
  }

  private slice(value: unknown, node: Extract<PathNode, { kind: "slice" }>): unknown[] {
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) throw new JsonPathError(`${goTypeName(value)} is not array or slice`);
    const { length } = value;
    let from = node.from ?? 0;
    let to = node.single ? from + 1 : (node.to ?? length);
    if (from < 0) from += length;
    if (to < 0 || (to === 0 && node.single)) to += length;
    if (from === to) return [];
    const outside = (index: number): JsonPathError =>
      new JsonPathError(`array index out of bounds: index ${index}, length ${length}`);
    if (from >= length || from < 0) throw outside(from);
    if (to > length || to < 0) throw outside(to - 1);
    if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
    const { step = 1 } = node;
    if (step <= 0) throw new JsonPathError("step must be > 0");
    return (value as unknown[]).slice(from, to).filter((_, index) => index % step === 0);
  }

  private filter(value: unknown, node: Extract<PathNode, { kind: "filter" }>): unknown[] {
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value))
      throw new JsonPathError(`${goTypeName(value)} is not array or slice and cannot be filtered`);
    return (value as unknown[]).filter((element) => {
      if (node.operator === "exists") return this.exists(element, node.left);
      const left = this.chain([element], node.left);
      if (left.length === 0) return false;
      if (left.length > 1) throw new JsonPathError("can only compare one element at a time");
      const right = this.chain([element], node.right);
      if (right.length === 0) return false;
      if (right.length > 1) throw new JsonPathError("can only compare one element at a time");
      return compare(node.operator, left[0], right[0]);
    });
  }

  private exists(element: unknown, path: readonly PathNode[]): boolean {
    try {
      return this.chain([element], path).length > 0;
    } catch (thrown) {
      if (thrown instanceof JsonPathError) return false;
      throw thrown;
    }
  }
}

const isWord = (node: PathNode, word: string): boolean =>
  node.kind === "action" && node.nodes.some((inner) => inner.kind === "word" && inner.word === word);

/** Where the range that opens at `at` ends: its `{end}`, or the end of the template. */
function endOfRange(nodes: readonly PathNode[], at: number): number {
  let depth = 0;
  for (let index = at; index < nodes.length; index++) {
    const node = nodes[index] as PathNode;
    if (isWord(node, "range")) depth++;
    else if (isWord(node, "end") && --depth === 0) return index;
  }
  return nodes.length;
}

export interface JsonPath {
  readonly template: string;
  /** What each part of the template finds, part by part. Throws JsonPathError. */
  find(value: unknown): readonly (readonly unknown[])[];
}

/** Throws JsonPathError for what is no template. */
export function compileJsonPath(template: string, settings: Settings = { allowMissing: true }): JsonPath {
  const parts = parseJsonPath(template);
  const evaluator = new Evaluator(settings);
  const walk = (value: unknown, nodes: readonly PathNode[]): (readonly unknown[])[] => {
    const found: (readonly unknown[])[] = [];
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at] as PathNode;
      const results = evaluator.chain([value], [node]);
      if (!isWord(node, "range")) {
        found.push(results);
        continue;
      }
      const end = endOfRange(nodes, at);
      const body = nodes.slice(at + 1, end);
      for (const each of results) found.push(...walk(each, body));
      at = end;
    }
    return found;
  };
  return { template, find: (value) => walk(value, parts) };
}

/** JSON on one line, with sorted keys. */
export function compactJson(value: unknown): string {
  if (Array.isArray(value)) return `[${(value as unknown[]).map(compactJson).join(",")}]`;
  if (!isObject(value)) return escapeJson(JSON.stringify(value ?? null));
  const members = Object.keys(value)
    .sort()
    .map((key) => `${escapeJson(JSON.stringify(key))}:${compactJson(value[key])}`);
  return `{${members.join(",")}}`;
}

/** Results as `-o jsonpath` prints them: those of one part with spaces between, structures as JSON. */
export const printResults = (found: readonly (readonly unknown[])[]): string =>
  found
    .map((results) =>
      results
        .map((value) => (typeof value === "object" && value !== null ? compactJson(value) : goText(value)))
        .join(" "),
    )
    .join("");
