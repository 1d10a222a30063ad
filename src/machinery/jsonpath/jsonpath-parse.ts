// The text of a JSONPath template → its parts. `{…}` holds paths, quoted text and ranges; all else is text. Pure.

export type PathNode =
  | { readonly kind: "text"; readonly text: string }
  /** What one pair of braces holds: each node works on what the one before it found. */
  | { readonly kind: "action"; readonly nodes: readonly PathNode[] }
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "wildcard" }
  | { readonly kind: "recursive" }
  | {
      readonly kind: "slice";
      readonly from?: number;
      readonly to?: number;
      readonly step?: number;
      readonly single: boolean;
    }
  | { readonly kind: "union"; readonly members: readonly (readonly PathNode[])[] }
  | {
      readonly kind: "filter";
      readonly left: readonly PathNode[];
      readonly operator: string;
      readonly right: readonly PathNode[];
    }
  | { readonly kind: "value"; readonly value: string | number | boolean }
  /** `range`, `end`, or a word that means nothing. */
  | { readonly kind: "word"; readonly word: string };

export class JsonPathError extends Error {}

const wordCharacter = /[\p{L}\p{Nd}_]/u;
const fieldEnd = /[ \t\r\n.,[\]$@{}]/;
const indexText = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/;
const keyText = /^'([^']*)'$/;
const comparison = /^([^!<>=]+)([!<>=]+)(.+?)$/s;

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\u0007",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

function unquote(text: string, quote: string): string {
  const body = text.slice(1, -1);
  if (!body.includes("\\")) return body;
  let out = "";
  for (let at = 0; at < body.length; at++) {
    const character = body[at] as string;
    if (character !== "\\") {
      out += character;
      continue;
    }
    const next = body[++at] ?? "";
    const hex = next === "x" ? 2 : next === "u" ? 4 : next === "U" ? 8 : 0;
    if (hex > 0) {
      const code = Number.parseInt(body.slice(at + 1, at + 1 + hex), 16);
      if (!(code <= 0x10ffff)) throw new JsonPathError("invalid syntax");
      out += String.fromCodePoint(code);
      at += hex;
    } else {
      const plain = escapes[next];
      if (plain === undefined || ((next === "'" || next === '"') && next !== quote))
        throw new JsonPathError("invalid syntax");
      out += plain;
    }
  }
  return out;
}

class Parser {
  private readonly input: string;
  private at = 0;

  constructor(input: string) {
    this.input = input;
  }

  parse(): PathNode[] {
    const nodes: PathNode[] = [];
    while (this.at < this.input.length) {
      const open = this.input.indexOf("{", this.at);
      const end = open < 0 ? this.input.length : open;
      if (end > this.at) nodes.push({ kind: "text", text: this.input.slice(this.at, end) });
      this.at = end + 1;
      if (open >= 0) nodes.push({ kind: "action", nodes: this.action() });
    }
    return nodes;
  }

  private action(): PathNode[] {
    const nodes: PathNode[] = [];
    for (;;) {
      const next = this.input[this.at];
      if (next === undefined || next === "\n") throw new JsonPathError("unclosed action");
      if (next === "}") {
        this.at++;
        return nodes;
      }
      if (next === " " || next === "@" || next === "$") this.at++;
      else if (this.input.startsWith("[?(", this.at)) nodes.push(this.filter());
      else if (next === "[") nodes.push(this.array());
      else if (next === '"' || next === "'") nodes.push(this.quoted(next));
      else if (next === ".") nodes.push(...this.field());
      else if (/[-+\d]/.test(next)) nodes.push(this.number());
      else nodes.push(this.word());
    }
  }

  private word(): PathNode {
    const start = this.at;
    for (let next = this.peek(); next !== "" && wordCharacter.test(next); next = this.peek())
      this.at += next.length;
    const word = this.input.slice(start, this.at);
    if (word === "") {
      const code = this.input.codePointAt(start) ?? 0;
      const number = code.toString(16).toUpperCase().padStart(4, "0");
      throw new JsonPathError(
        `unrecognized character in action: U+${number} '${String.fromCodePoint(code)}'`,
      );
    }
    if (word === "true" || word === "false") return { kind: "value", value: word === "true" };
    return { kind: "word", word };
  }

  private peek(): string {
    const code = this.input.codePointAt(this.at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  private number(): PathNode {
    const start = this.at++;
    while (/[\d.]/.test(this.input[this.at] ?? "")) this.at++;
    const text = this.input.slice(start, this.at);
    const value = Number(text);
    if (Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${text}`);
    return { kind: "value", value };
  }

  private quoted(quote: string): PathNode {
    const start = this.at++;
    for (;;) {
      const next = this.input[this.at++];
      if (next === undefined || next === "\n") throw new JsonPathError("unterminated quoted string");
      if (next === quote && this.input[this.at - 2] !== "\\") break;
    }
    return { kind: "value", value: unquote(this.input.slice(start, this.at), quote) };
  }

  private field(): PathNode[] {
    this.at++;
    if (this.input[this.at] === ".") {
      this.at++;
      const name = wordCharacter.test(this.peek()) ? [this.fieldName()] : [];
      return [{ kind: "recursive" }, ...name];
    }
    return [this.fieldName()];
  }

  private fieldName(): PathNode {
    const start = this.at;
    for (
      let next = this.input[this.at];
      next !== undefined && !fieldEnd.test(next);
      next = this.input[this.at]
    )
      this.at += next === "\\" ? 2 : 1;
    const name = this.input.slice(start, this.at);
    return name === "*" ? { kind: "wildcard" } : { kind: "field", name: name.replace(/\\(.)/gs, "$1") };
  }

  private filter(): PathNode {
    const start = (this.at += 3);
    let quote = "";
    for (let depth = 1; depth > 0; this.at++) {
      const next = this.input[this.at];
      if (next === undefined || next === "\n") throw new JsonPathError("unterminated filter");
      if (quote !== "") quote = next === quote ? "" : quote;
      else if (next === '"' || next === "'") quote = next;
      else if (next === "(") depth++;
      else if (next === ")") depth--;
    }
    const text = this.input.slice(start, this.at - 1);
    if (this.input[this.at++] !== "]") throw new JsonPathError("unclosed array expect ]");
    const [, left, operator, right] = comparison.exec(text) ?? [];
    if (left === undefined || operator === undefined || right === undefined)
      return { kind: "filter", left: actionNodes(text), operator: "exists", right: [] };
    return { kind: "filter", left: actionNodes(left), operator, right: actionNodes(right) };
  }

  private array(): PathNode {
    const start = this.at++;
    for (;;) {
      const next = this.input[this.at++];
      if (next === undefined || next === "\n") throw new JsonPathError("unterminated array");
      if (next === "]") break;
    }
    const text = this.input.slice(start + 1, this.at - 1);
    const members = text.split(",");
    if (members.length > 1)
      return { kind: "union", members: members.map((member) => actionNodes(`[${member.trim()}]`)) };
    const key = keyText.exec(text)?.[1];
    if (key !== undefined) return { kind: "action", nodes: actionNodes(`.${key}`) };
    return sliceOf(text === "*" ? ":" : text);
  }
}

function sliceOf(text: string): PathNode {
  const match = indexText.exec(text);
  if (match === null) throw new JsonPathError(`invalid array index ${text}`);
  const part = (value: string | undefined): number | undefined => {
    const digits = value?.replace(/^:/, "") ?? "";
    return digits === "" ? undefined : Number(digits);
  };
  const [from, to, step] = [part(match[1]), part(match[2]), part(match[3])];
  return {
    kind: "slice",
    single: match[2] === undefined,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(step === undefined ? {} : { step }),
  };
}

function actionNodes(text: string): readonly PathNode[] {
  const [node] = new Parser(`{${text}}`).parse();
  return node?.kind === "action" ? node.nodes : [];
}

/** Throws JsonPathError. */
export const parseJsonPath = (template: string): PathNode[] => new Parser(template).parse();

/** `x`, `.x`, `{x}`, `{.x}` are the same where only a path makes sense. */
export function relaxedPath(text: string): string {
  if (text === "") return text;
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(text);
  if (match === null)
    throw new JsonPathError(
      "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
    );
  return `{.${match[1] ?? match[2] ?? ""}}`;
}
