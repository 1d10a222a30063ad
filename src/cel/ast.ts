// The tree of an expression. Macros stand as nodes of their own (`macro`), not expanded.
import type { CelType } from "./cel-type.ts";
import type { Overload } from "./signature.ts";
import type { Value } from "./value.ts";

interface Node {
  /** Where in the text an error of this node is shown: an index in characters. */
  readonly pos: number;
  /** What the checker found. */
  type?: CelType;
}

export interface LiteralExpr extends Node {
  readonly kind: "literal";
  readonly value: Value;
}
export interface IdentExpr extends Node {
  readonly kind: "ident";
  /** Dots inside when the checker found a qualified name. */
  name: string;
}
export interface SelectExpr extends Node {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)` */
  readonly test: boolean;
  /** `a.?b` */
  readonly optional: boolean;
  /** The checker found that the whole is the name of a variable or type. */
  resolved?: string;
}
export interface CallExpr extends Node {
  readonly kind: "call";
  /** Operators have names such as `_+_`. */
  readonly name: string;
  target: Expr | undefined;
  readonly args: readonly Expr[];
  /** The checker found a function of a namespace: `optional.of`. */
  qualified?: string;
  /** What the call may mean; more than one where types are known at run time only. */
  overloads?: readonly Overload[];
}
export interface ListExpr extends Node {
  readonly kind: "list";
  readonly elements: readonly ListElement[];
}
export interface ListElement {
  readonly optional: boolean;
  readonly value: Expr;
}
export interface MapExpr extends Node {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}
export interface MapEntry {
  readonly optional: boolean;
  readonly key: Expr;
  readonly value: Expr;
}
/** `Object.spec{replicas: 3}` */
export interface StructExpr extends Node {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly StructField[];
}
export interface StructField {
  readonly pos: number;
  readonly name: string;
  readonly optional: boolean;
  readonly value: Expr;
}
export const macroNames = [
  "all",
  "exists",
  "existsOne",
  "map",
  "filter",
  "transformList",
  "transformMap",
  "transformMapEntry",
  "optMap",
  "optFlatMap",
  /** `cel.bind(x, value, expression)`: the range is the value. */
  "bind",
] as const;
export type MacroName = (typeof macroNames)[number];
/** `range.all(x, predicate)`: one or two variables, an optional filter, what is computed for each. */
export interface MacroExpr extends Node {
  readonly kind: "macro";
  readonly macro: MacroName;
  readonly range: Expr;
  readonly vars: readonly string[];
  readonly filter: Expr | undefined;
  readonly body: Expr;
}

export type Expr =
  LiteralExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | MacroExpr;

/** What is wrong with an expression, and where. */
export interface Issue {
  readonly pos: number;
  readonly message: string;
}

/** Thrown by the parser at the first thing that is no expression. */
export class SyntaxIssue extends Error {
  readonly pos: number;
  constructor(pos: number, message: string) {
    super(message);
    this.pos = pos;
  }
}

/**
 * Issues as they are shown, each with its line and a mark below the place:
 *
 *     ERROR: <input>:1:6: undefined field 'foo'
 *      | self.foo
 *      | .....^
 */
export function formatIssues(text: string, issues: readonly Issue[]): string {
  return issues.map((issue) => formatIssue(text, issue)).join("\n");
}

function formatIssue(text: string, { pos, message }: Issue): string {
  const start = text.lastIndexOf("\n", pos - 1) + 1;
  const line = text.slice(0, pos).split("\n").length;
  const end = text.indexOf("\n", pos);
  const source = text.slice(start, end < 0 ? text.length : end);
  const column = [...text.slice(start, pos)].length;
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${source}\n | ${".".repeat(column)}^`;
}
