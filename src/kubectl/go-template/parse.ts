// The pieces of a go-template → a tree of what to do. Pure.

import { functions } from "./functions.ts";
import { splitTemplate, TemplateError, type Piece, type Token } from "./tokens.ts";

export type Operand =
  | { readonly kind: "dot" }
  | { readonly kind: "constant"; readonly value: string | number | boolean | null }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "pipe"; readonly pipe: Pipe }
  | {
      readonly kind: "fields";
      readonly of: Operand;
      readonly names: readonly string[];
      readonly place: Place;
    };

/** Where something stands, and as what: messages name it. */
export interface Place {
  readonly at: number;
  readonly text: string;
}

/** A function and its arguments, or a value alone. */
export interface Step {
  readonly operands: readonly Operand[];
  readonly place: Place;
}

export interface Pipe {
  readonly declares: readonly string[];
  /** `=` sets a variable that is there; `:=` makes one. */
  readonly assigns: boolean;
  readonly steps: readonly Step[];
  readonly source: string;
}

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: "break" | "continue" }
  | { readonly kind: "template"; readonly name: string; readonly pipe?: Pipe };

export interface Template {
  readonly text: string;
  readonly main: readonly Node[];
  readonly named: ReadonlyMap<string, readonly Node[]>;
}

type Action = Extract<Piece, { kind: "action" }>;
const keywords = new Set([
  "if",
  "else",
  "end",
  "range",
  "with",
  "define",
  "block",
  "template",
  "break",
  "continue",
]);

class PipeReader {
  private at = 0;
  private readonly tokens: readonly Token[];
  private readonly action: Action;

  private readonly text: string;

  constructor(text: string, action: Action, tokens: readonly Token[]) {
    this.text = text;
    this.action = action;
    this.tokens = tokens;
  }

  fail(why: string): TemplateError {
    return new TemplateError(`template: output:${this.action.line}: ${why}`);
  }

  whole(what: string): Pipe {
    const pipe = this.pipe(what);
    if (this.at < this.tokens.length)
      throw this.fail(`unexpected ${JSON.stringify(this.shown())} in ${what}`);
    return pipe;
  }

  private shown(): string {
    const token = this.tokens[this.at];
    return token === undefined ? "" : "text" in token ? token.text : String(token.value);
  }

  private symbol(text: string, ahead = 0): boolean {
    const token = this.tokens[this.at + ahead];
    return token?.kind === "symbol" && token.text === text;
  }

  private declared(): { names: string[]; assigns: boolean } {
    const names: string[] = [];
    for (let ahead = 0; ; ahead += 2) {
      const token = this.tokens[this.at + ahead];
      if (token?.kind !== "variable") return { names: [], assigns: false };
      names.push(token.text);
      if (this.symbol(",", ahead + 1)) continue;
      const assigns = this.symbol("=", ahead + 1);
      if (!assigns && !this.symbol(":=", ahead + 1)) return { names: [], assigns: false };
      this.at += ahead + 2;
      return { names, assigns };
    }
  }

  private pipe(what: string): Pipe {
    const { names, assigns } = this.declared();
    const steps: Step[] = [];
    for (;;) {
      const operands: Operand[] = [];
      const first = this.at;
      while (this.at < this.tokens.length && !this.symbol("|") && !this.symbol(")"))
        operands.push(this.operand());
      if (operands.length === 0) throw this.fail(`missing value for ${what}`);
      steps.push({ operands, place: this.place(first) });
      if (!this.symbol("|")) break;
      this.at++;
    }
    return { declares: names, assigns, steps, source: this.action.source };
  }

  /** From the token of that number to the last one read. */
  private place(first: number): Place {
    const [from, to] = [this.tokens[first], this.tokens[this.at - 1]];
    return { at: from?.at ?? 0, text: this.text.slice(from?.at, to?.end) };
  }

  private operand(): Operand {
    const first = this.at;
    const token = this.tokens[this.at++] as Token;
    switch (token.kind) {
      case "string":
      case "number":
        return { kind: "constant", value: token.value };
      case "field":
        this.at--;
        return this.fields({ kind: "dot" }, first);
      case "variable":
        return this.fields({ kind: "variable", name: token.text }, first);
      case "word":
        if (token.text === "true" || token.text === "false")
          return { kind: "constant", value: token.text === "true" };
        if (token.text === "nil") return { kind: "constant", value: null };
        if (!functions.has(token.text) && token.text !== "and" && token.text !== "or")
          throw this.fail(`function ${JSON.stringify(token.text)} not defined`);
        return { kind: "function", name: token.text };
      case "symbol":
        break;
    }
    if (token.text === ".") return { kind: "dot" };
    if (token.text !== "(") throw this.fail(`unexpected ${JSON.stringify(token.text)} in operand`);
    const pipe = this.pipe("parenthesized pipeline");
    if (!this.symbol(")")) throw this.fail("unclosed left paren");
    this.at++;
    return this.fields({ kind: "pipe", pipe }, first);
  }

  /** The `.a.b` that follow without a space. */
  private fields(of: Operand, first: number): Operand {
    const names: string[] = [];
    for (let token = this.tokens[this.at]; token?.kind === "field"; token = this.tokens[++this.at]) {
      const before = this.tokens[this.at - 1];
      if ((names.length > 0 || of.kind !== "dot") && before?.end !== token.at) break;
      names.push(token.text);
    }
    if (names.length === 0) return of;
    // A chain is said to stand where its second part does.
    const second = this.tokens[first + 1];
    const place = this.place(first);
    return {
      kind: "fields",
      of,
      names,
      place: this.at - first > 1 && second ? { ...place, at: second.at } : place,
    };
  }
}

class Parser {
  private at = 0;
  private readonly pieces: readonly Piece[];
  readonly named = new Map<string, readonly Node[]>();

  private readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.pieces = splitTemplate(text);
  }

  main(): Node[] {
    const { nodes, end } = this.list();
    if (end !== undefined)
      throw new TemplateError(`template: output:${end.line}: unexpected {{${end.source}}}`);
    return nodes;
  }

  /** Nodes up to an `{{else}}` or `{{end}}`, which is returned. */
  private list(): { nodes: Node[]; end: Action | undefined } {
    const nodes: Node[] = [];
    for (let piece = this.pieces[this.at++]; piece !== undefined; piece = this.pieces[this.at++]) {
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      const word = wordOf(piece.tokens[0]);
      if (word === "else" || word === "end") return { nodes, end: piece };
      nodes.push(...this.action(piece, word));
    }
    return { nodes, end: undefined };
  }

  private body(opened: Action): { nodes: Node[]; end: Action } {
    const { nodes, end } = this.list();
    if (end === undefined) throw new TemplateError(`template: output:${opened.line}: unexpected EOF`);
    return { nodes, end };
  }

  private action(action: Action, word: string): Node[] {
    const rest = keywords.has(word) ? action.tokens.slice(1) : action.tokens;
    const read = (what: string): Pipe => new PipeReader(this.text, action, rest).whole(what);
    switch (word) {
      case "if":
      case "with":
      case "range":
        return [this.branch(action, word, read(word))];
      case "break":
      case "continue":
        return [{ kind: word }];
      case "define":
      case "block":
      case "template":
        return this.definition(action, word, rest);
      default:
        return [{ kind: "print", pipe: read("command") }];
    }
  }

  private branch(action: Action, kind: "if" | "with" | "range", pipe: Pipe): Node {
    const { nodes: body, end } = this.body(action);
    if (wordOf(end.tokens[0]) === "end") return { kind, pipe, body, otherwise: [] };
    const chained = wordOf(end.tokens[1]);
    if (chained === "if" || chained === "with") {
      const next = new PipeReader(this.text, end, end.tokens.slice(2)).whole(chained);
      return { kind, pipe, body, otherwise: [this.branch(end, chained, next)] };
    }
    const { nodes: otherwise } = this.body(end);
    return { kind, pipe, body, otherwise };
  }

  private definition(action: Action, word: "define" | "block" | "template", rest: readonly Token[]): Node[] {
    const [name] = rest;
    if (name?.kind !== "string")
      throw new TemplateError(`template: output:${action.line}: missing name in ${word}`);
    const pipe = rest.length > 1 ? new PipeReader(this.text, action, rest.slice(1)).whole(word) : undefined;
    if (word !== "template") this.named.set(name.value, this.body(action).nodes);
    if (word === "define") return [];
    return [{ kind: "template", name: name.value, ...(pipe === undefined ? {} : { pipe }) }];
  }
}

const wordOf = (token: Token | undefined): string => (token?.kind === "word" ? token.text : "");

/** Throws TemplateError. */
export function parseTemplate(text: string): Template {
  const parser = new Parser(text);
  return { text, main: parser.main(), named: parser.named };
}
