// Text → tokens: numbers, strings with their escapes, names, signs. Positions are indexes into the text.
import { SyntaxIssue } from "./ast.ts";

export type TokenKind = "int" | "uint" | "double" | "string" | "bytes" | "name" | "sign" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** A name, a sign, or the token as it is written. */
  readonly text: string;
  readonly pos: number;
  /** Of a number, string or bytes. */
  readonly value?: bigint | number | string | Uint8Array;
}

const blank = /(?:[ \t\n\r\f]+|\/\/[^\n]*)*/y;
const number = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?/y;
const name = /[A-Za-z_]\w*/y;
const sign = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;
const quoted = /([bB][rR]?|[rR][bB]?)?("""|'''|"|')/y;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(blank, text, 0);
  while (at < text.length) {
    const token = nextToken(text, at);
    tokens.push(token);
    at = skip(blank, text, at + token.text.length);
  }
  tokens.push({ kind: "end", text: "<EOF>", pos: text.length });
  return tokens;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function nextToken(text: string, pos: number): Token {
  const open = match(quoted, text, pos);
  if (open !== null) return stringToken(text, pos, open[1] ?? "", open[2] ?? "");
  const word = match(name, text, pos)?.[0];
  if (word !== undefined) return { kind: "name", text: word, pos };
  const digits = match(number, text, pos)?.[0];
  if (digits !== undefined) return numberToken(digits, pos);
  const found = match(sign, text, pos)?.[0];
  if (found !== undefined) return { kind: "sign", text: found, pos };
  throw new SyntaxIssue(pos, `Syntax error: token recognition error at: '${text[pos] ?? ""}'`);
}

const int64Max = 2n ** 63n;
const uint64Max = 2n ** 64n - 1n;

function numberToken(text: string, pos: number): Token {
  if (/^0[xX]/.test(text) ? /[uU]$/.test(text) : /[uU]$/.test(text)) {
    const value = BigInt(text.slice(0, -1));
    if (value > uint64Max) throw new SyntaxIssue(pos, "invalid uint literal");
    return { kind: "uint", text, pos, value };
  }
  if (/^0[xX]/.test(text) || /^\d+$/.test(text)) {
    const value = BigInt(text);
    // One more is the smallest integer's amount: the parser knows whether a minus stands before it.
    if (value > int64Max) throw new SyntaxIssue(pos, "invalid int literal");
    return { kind: "int", text, pos, value };
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new SyntaxIssue(pos, "invalid double literal");
  return { kind: "double", text, pos, value };
}

function stringToken(text: string, pos: number, prefix: string, quote: string): Token {
  const raw = /[rR]/.test(prefix);
  const start = pos + prefix.length + quote.length;
  let at = start;
  while (!text.startsWith(quote, at)) {
    const char = text[at];
    if (char === undefined || (quote.length === 1 && (char === "\n" || char === "\r"))) {
      throw new SyntaxIssue(
        pos,
        `Syntax error: token recognition error at: '${text.slice(pos, Math.min(at, pos + 20))}'`,
      );
    }
    at += char === "\\" && !raw ? 2 : 1;
  }
  const inner = text.slice(start, at);
  const bytes = /[bB]/.test(prefix);
  const whole = text.slice(pos, at + quote.length);
  if (bytes) return { kind: "bytes", text: whole, pos, value: bytesOf(inner, raw, pos) };
  return { kind: "string", text: whole, pos, value: raw ? inner : unescape(inner, pos).join("") };
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["`", "`"],
  ["?", "?"],
]);
const codeEscape = /\\(?:[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

/** The pieces of a literal: text as it is, and one piece for each escape. */
function unescape(inner: string, pos: number): string[] {
  const out: string[] = [];
  let at = 0;
  while (at < inner.length) {
    const slash = inner.indexOf("\\", at);
    if (slash < 0) break;
    out.push(inner.slice(at, slash));
    const [piece, length] = escapeAt(inner, slash, pos);
    out.push(piece);
    at = slash + length;
  }
  out.push(inner.slice(at));
  return out;
}

function escapeAt(inner: string, at: number, pos: number): [string, number] {
  const simple = simpleEscapes.get(inner[at + 1] ?? "");
  if (simple !== undefined) return [simple, 2];
  const found = match(codeEscape, inner, at);
  if (found === null) throw new SyntaxIssue(pos, "invalid string literal: unable to unescape string");
  const [whole, hex, octal, short, long] = found;
  const code = octal === undefined ? parseInt(hex ?? short ?? long ?? "", 16) : parseInt(octal, 8);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw new SyntaxIssue(pos, "invalid unicode code point in string literal");
  return [String.fromCodePoint(code), whole.length];
}

/** In bytes, `\x41` and `\101` are one byte each; everything else is UTF-8. */
function bytesOf(inner: string, raw: boolean, pos: number): Uint8Array {
  if (raw) return new TextEncoder().encode(inner);
  const out: number[] = [];
  let at = 0;
  while (at < inner.length) {
    const slash = inner.indexOf("\\", at);
    const end = slash < 0 ? inner.length : slash;
    out.push(...new TextEncoder().encode(inner.slice(at, end)));
    if (slash < 0) break;
    const [piece, length] = escapeAt(inner, slash, pos);
    const kind = inner[slash + 1] ?? "";
    if (kind === "u" || kind === "U") throw new SyntaxIssue(pos, "invalid bytes literal: unable to unescape");
    out.push(piece.charCodeAt(0));
    at = slash + length;
  }
  return Uint8Array.from(out);
}
