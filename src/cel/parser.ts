// Tokens → tree. Macros are recognised here, by name and number of arguments, as the language wants it.
import {
  SyntaxIssue,
  type Expr,
  type ListElement,
  type MacroName,
  type MapEntry,
  type StructField,
} from "./ast.ts";
import { tokenize, type Token } from "./lexer.ts";
import { UintValue } from "./value.ts";

/** Expressions deeper than this are refused. */
const depthMax = 250;

const reserved: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const primaries =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Parses, or throws a `SyntaxIssue`. */
export function parseExpression(text: string): Expr {
  const parser = new Parser(tokenize(text));
  const expr = parser.expression();
  parser.end();
  return expr;
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  private get token(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)] as Token;
  }

  private next(): Token {
    const token = this.token;
    this.at++;
    return token;
  }

  private sees(...signs: readonly string[]): boolean {
    return this.token.kind === "sign" && signs.includes(this.token.text);
  }

  private take(sign: string): Token | undefined {
    return this.sees(sign) ? this.next() : undefined;
  }

  private expect(sign: string): Token {
    return this.take(sign) ?? this.fail(`'${sign}'`);
  }

  private fail(expected: string): never {
    const { text, pos } = this.token;
    throw new SyntaxIssue(pos, `Syntax error: mismatched input '${text}' expecting ${expected}`);
  }

  end(): void {
    if (this.token.kind !== "end") this.fail("<EOF>");
  }

  expression(): Expr {
    if (++this.depth > depthMax)
      throw new SyntaxIssue(this.token.pos, `expression recursion limit exceeded: ${depthMax}`);
    const condition = this.or();
    const question = this.take("?");
    let out = condition;
    if (question !== undefined) {
      const whenTrue = this.or();
      this.expect(":");
      out = call(question.pos, "_?_:_", [condition, whenTrue, this.expression()]);
    }
    this.depth--;
    return out;
  }

  private or(): Expr {
    return this.balanced("||", () => this.and());
  }

  private and(): Expr {
    return this.balanced("&&", () => this.relation());
  }

  /** Long rows of `&&` and `||` make a tree of little depth. */
  private balanced(sign: string, term: () => Expr): Expr {
    const terms = [term()];
    const places: number[] = [];
    for (let token = this.take(sign); token !== undefined; token = this.take(sign)) {
      places.push(token.pos);
      terms.push(term());
    }
    const build = (from: number, to: number): Expr => {
      if (from === to) return terms[from] as Expr;
      const middle = (from + to) >> 1;
      return call(places[middle] ?? 0, `_${sign}_`, [build(from, middle), build(middle + 1, to)]);
    };
    return build(0, terms.length - 1);
  }

  /** Everything else that stands in a row is as deep as it is long. */
  private deeper(count: number): void {
    if (count + this.depth > depthMax)
      throw new SyntaxIssue(this.token.pos, `expression recursion limit exceeded: ${depthMax}`);
  }

  private relation(): Expr {
    let left = this.sum();
    for (let count = 1; ; count++) {
      this.deeper(count);
      const isIn = this.token.kind === "name" && this.token.text === "in";
      if (!isIn && !this.sees("<", "<=", ">", ">=", "==", "!=")) return left;
      const sign = this.next();
      left = call(sign.pos, isIn ? "@in" : `_${sign.text}_`, [left, this.sum()]);
    }
  }

  private sum(): Expr {
    let left = this.product();
    for (let count = 1; this.sees("+", "-"); count++) {
      this.deeper(count);
      const sign = this.next();
      left = call(sign.pos, `_${sign.text}_`, [left, this.product()]);
    }
    return left;
  }

  private product(): Expr {
    let left = this.unary();
    for (let count = 1; this.sees("*", "/", "%"); count++) {
      this.deeper(count);
      const sign = this.next();
      left = call(sign.pos, `_${sign.text}_`, [left, this.unary()]);
    }
    return left;
  }

  private unary(): Expr {
    if (!this.sees("!", "-")) return this.member();
    const first = this.next();
    let count = 1;
    while (this.sees(first.text)) {
      this.next();
      count++;
    }
    if (first.text === "-" && (this.token.kind === "int" || this.token.kind === "double")) {
      // The last minus belongs to the number.
      const negative = this.members(this.literal(this.next(), true));
      return (count - 1) % 2 === 0 ? negative : call(first.pos, "-_", [negative]);
    }
    const operand = this.member();
    if (count % 2 === 0) return operand;
    return call(first.pos, first.text === "!" ? "!_" : "-_", [operand]);
  }

  private member(): Expr {
    return this.members(this.primary());
  }

  private members(start: Expr): Expr {
    let expr = start;
    for (let count = 1; ; count++) {
      this.deeper(count);
      const dot = this.take(".");
      if (dot !== undefined) {
        expr = this.selection(expr, dot);
        continue;
      }
      const name = this.sees("{") ? qualifiedName(expr) : undefined;
      if (name !== undefined) {
        expr = this.struct(this.next().pos, name);
        continue;
      }
      const open = this.take("[");
      if (open === undefined) return expr;
      const optional = this.take("?") !== undefined;
      const key = this.expression();
      this.expect("]");
      expr = call(open.pos, optional ? "_[?_]" : "_[_]", [expr, key]);
    }
  }

  private selection(operand: Expr, dot: Token): Expr {
    const optional = this.take("?") !== undefined;
    const name = this.fieldName();
    if (optional) return { kind: "select", pos: dot.pos, operand, field: name, test: false, optional: true };
    const open = this.take("(");
    if (open === undefined)
      return { kind: "select", pos: dot.pos, operand, field: name, test: false, optional: false };
    const args = this.arguments(")");
    return memberMacro(open.pos, name, operand, args) ?? call(open.pos, name, args, operand);
  }

  /** After a dot reserved words are names; `in`, `true`, `false` and `null` are not. */
  private fieldName(): string {
    const { kind, text } = this.token;
    if (kind !== "name" || ["in", "true", "false", "null"].includes(text)) this.fail("IDENTIFIER");
    this.next();
    return text;
  }

  private arguments(close: string): Expr[] {
    const args: Expr[] = [];
    if (this.take(close) !== undefined) return args;
    do args.push(this.expression());
    while (this.take(",") !== undefined);
    this.expect(close);
    return args;
  }

  private primary(): Expr {
    const token = this.token;
    if (token.kind === "sign") {
      if (this.take("(") !== undefined) {
        const inner = this.expression();
        this.expect(")");
        return inner;
      }
      if (this.take("[") !== undefined) return this.list(token.pos);
      if (this.take("{") !== undefined) return this.map(token.pos);
      if (this.sees(".")) {
        this.next();
        if (this.token.kind !== "name") this.fail("IDENTIFIER");
        return this.named(this.next());
      }
      return this.fail(primaries);
    }
    if (token.kind === "end") return this.fail(primaries);
    this.next();
    return token.kind === "name" ? this.named(token) : this.literal(token, false);
  }

  private named(token: Token): Expr {
    const { text, pos } = token;
    if (text === "true" || text === "false") return { kind: "literal", pos, value: text === "true" };
    if (text === "null") return { kind: "literal", pos, value: null };
    if (text === "in") {
      this.at--;
      return this.fail(primaries);
    }
    const open = this.take("(");
    if (open !== undefined) {
      const args = this.arguments(")");
      return text === "has" && args.length === 1
        ? presence(open.pos, args[0] as Expr)
        : call(open.pos, text, args);
    }
    if (reserved.has(text)) throw new SyntaxIssue(pos, `reserved identifier: ${text}`);
    return { kind: "ident", pos, name: text };
  }

  private literal(token: Token, negative: boolean): Expr {
    const { pos, value } = token;
    if (token.kind === "int") {
      const amount = value as bigint;
      if (!negative && amount === 2n ** 63n) throw new SyntaxIssue(pos, "invalid int literal");
      return { kind: "literal", pos, value: negative ? -amount : amount };
    }
    if (token.kind === "double")
      return { kind: "literal", pos, value: negative ? -(value as number) : (value as number) };
    if (token.kind === "uint") return { kind: "literal", pos, value: new UintValue(value as bigint) };
    return { kind: "literal", pos, value: value as string | Uint8Array };
  }

  private list(pos: number): Expr {
    const elements: ListElement[] = [];
    while (this.take("]") === undefined) {
      const optional = this.take("?") !== undefined;
      elements.push({ optional, value: this.expression() });
      if (this.take(",") === undefined) {
        this.expect("]");
        break;
      }
    }
    return { kind: "list", pos, elements };
  }

  private struct(pos: number, name: string): Expr {
    const fields: StructField[] = [];
    while (this.take("}") === undefined) {
      const optional = this.take("?") !== undefined;
      const at = this.token.pos;
      const field = this.fieldName();
      this.expect(":");
      fields.push({ pos: at, name: field, optional, value: this.expression() });
      if (this.take(",") === undefined) {
        this.expect("}");
        break;
      }
    }
    return { kind: "struct", pos, name, fields };
  }

  private map(pos: number): Expr {
    const entries: MapEntry[] = [];
    while (this.take("}") === undefined) {
      const optional = this.take("?") !== undefined;
      const key = this.expression();
      this.expect(":");
      entries.push({ optional, key, value: this.expression() });
      if (this.take(",") === undefined) {
        this.expect("}");
        break;
      }
    }
    return { kind: "map", pos, entries };
  }
}

/** `a.b.c` of plain names: what may stand before the fields of a new object. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.test || expr.optional) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}

function call(pos: number, name: string, args: readonly Expr[], target?: Expr): Expr {
  return { kind: "call", pos, name, target, args };
}

function presence(pos: number, arg: Expr): Expr {
  if (arg.kind !== "select") throw new SyntaxIssue(arg.pos, "invalid argument to has() macro");
  return { ...arg, pos, test: true };
}

/** name → the numbers of arguments with which it is a macro. */
const macros: ReadonlyMap<string, readonly [MacroName, readonly number[]]> = new Map([
  ["all", ["all", [2, 3]]],
  ["exists", ["exists", [2, 3]]],
  ["exists_one", ["existsOne", [2]]],
  ["existsOne", ["existsOne", [2, 3]]],
  ["map", ["map", [2, 3]]],
  ["filter", ["filter", [2]]],
  ["transformList", ["transformList", [3, 4]]],
  ["transformMap", ["transformMap", [3, 4]]],
  ["transformMapEntry", ["transformMapEntry", [3, 4]]],
  ["optMap", ["optMap", [2]]],
  ["optFlatMap", ["optFlatMap", [2]]],
]);

function memberMacro(pos: number, name: string, range: Expr, args: readonly Expr[]): Expr | undefined {
  if (name === "bind" && args.length === 3 && range.kind === "ident" && range.name === "cel") {
    const [variable, value, body] = args as [Expr, Expr, Expr];
    return {
      kind: "macro",
      pos,
      macro: "bind",
      range: value,
      vars: [variableName(variable)],
      filter: undefined,
      body,
    };
  }
  const [macro, counts] = macros.get(name) ?? [];
  if (macro === undefined || !counts?.includes(args.length)) return undefined;
  const varCount = variablesOf(macro, args.length);
  const vars = args.slice(0, varCount).map(variableName);
  if (vars.length === 2 && vars[0] === vars[1])
    throw new SyntaxIssue(args[1]?.pos ?? pos, `duplicate variable name: ${vars[0] ?? ""}`);
  const rest = args.slice(varCount);
  const body = rest.at(-1) as Expr;
  const filter = rest.length === 2 ? rest[0] : undefined;
  return { kind: "macro", pos, macro, range, vars, filter, body };
}

function variablesOf(macro: MacroName, count: number): number {
  if (macro.startsWith("transform")) return 2;
  return count === 3 && macro !== "map" ? 2 : 1;
}

function variableName(arg: Expr): string {
  if (arg.kind !== "ident") throw new SyntaxIssue(arg.pos, "argument must be a simple name");
  return arg.name;
}
