// JSON → YAML, byte for byte as `kubectl get -o yaml` prints it: natural key order, lists at the column of their
// key, block literals for text with line ends, quotes only where a plain scalar would be read as something else,
// long text folded past column 80.
import { isObject } from "../json-object.ts";
import { mayStandPlain } from "./yaml-scalar.ts";

const widthBest = 80;
const simpleKeyBytesMax = 128;

const isBreak = (code: number): boolean =>
  code === 0x0a || code === 0x0d || code === 0x85 || code === 0x2028 || code === 0x2029;

/** Characters that may stand as they are. Tabs are not among them: text with a tab is quoted. */
function isPrintable(code: number): boolean {
  if (code === 0x0a) return true;
  if (code < 0x20 || code > 0xffff) return false;
  if (code >= 0x7f && code < 0xa0) return false;
  if (code >= 0xd800 && code < 0xe000) return false;
  return code !== 0xfeff && code !== 0xfffe && code !== 0xffff;
}

interface Analysis {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const firstIndicators = new Set(Array.from("#,[]{}&*!|>'\"%@`"));

/** True when the character at `i` makes a plain scalar impossible in block context. */
function isIndicator(chars: readonly string[], i: number): boolean {
  const char = chars[i] ?? "";
  const next = chars[i + 1];
  const blankNext = next === undefined || next === " " || next === "\t" || isBreak(next.codePointAt(0) ?? 0);
  if (i === 0) return firstIndicators.has(char) || ("?:-".includes(char) && blankNext);
  if (char === ":") return blankNext;
  const previous = chars[i - 1] ?? "";
  const blankBefore = previous === " " || previous === "\t" || isBreak(previous.codePointAt(0) ?? 0);
  return char === "#" && blankBefore;
}

/** Which styles can hold this text. */
function analyze(chars: readonly string[]): Analysis {
  const text = chars.slice(0, 3).join("");
  let indicators = text === "---" || text === "...";
  let special = false;
  let breaks = false;
  let spaceBreak = false;
  let breakSpace = false;
  let previous: "space" | "break" | "" = "";
  for (let i = 0; i < chars.length; i++) {
    const code = chars[i]?.codePointAt(0) ?? 0;
    if (isIndicator(chars, i)) indicators = true;
    if (!isPrintable(code)) special = true;
    if (code === 0x20) {
      if (previous === "break") breakSpace = true;
      previous = "space";
    } else if (isBreak(code)) {
      if (previous === "space") spaceBreak = true;
      breaks = true;
      previous = "break";
    } else previous = "";
  }
  const isBlank = (char: string | undefined): boolean =>
    char === " " || (char !== undefined && isBreak(char.codePointAt(0) ?? 0));
  const edges = isBlank(chars[0]) || isBlank(chars.at(-1));
  const none = spaceBreak || special;
  return {
    multiline: breaks,
    plain: !none && !edges && !breakSpace && !breaks && !indicators,
    single: !none && !breakSpace,
    block: !none && chars.at(-1) !== " ",
  };
}

type Style = "plain" | "single" | "double" | "literal";

function styleOf(text: string, analysis: Analysis, simpleKey: boolean): Style {
  if (text.includes("\n")) return analysis.block && !simpleKey ? "literal" : "double";
  if (!mayStandPlain(text)) return "double";
  if (analysis.plain && text !== "") return "plain";
  return analysis.single ? "single" : "double";
}

const escapes = new Map<number, string>([
  [0x00, "0"],
  [0x07, "a"],
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0b, "v"],
  [0x0c, "f"],
  [0x0d, "r"],
  [0x1b, "e"],
  [0x22, '"'],
  [0x5c, "\\"],
  [0x85, "N"],
  [0xa0, "_"],
  [0x2028, "L"],
  [0x2029, "P"],
]);

function escaped(code: number): string {
  const known = escapes.get(code);
  if (known !== undefined) return `\\${known}`;
  const digits = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${digits.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** Keys in natural order: runs of digits compare as numbers, letters come after everything else. */
export function compareYamlKeys(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] ?? "";
    const y = right[i] ?? "";
    if (x === y) continue;
    const xLetter = /^\p{L}$/u.test(x);
    const yLetter = /^\p{L}$/u.test(y);
    if (xLetter && yLetter) return compareCodePoints(x, y);
    if (xLetter || yLetter) return xLetter ? 1 : -1;
    return compareNumbers(left, right, i) || compareCodePoints(x, y);
  }
  return left.length - right.length;
}

const compareCodePoints = (x: string, y: string): number => (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);

const digitsAt = (chars: readonly string[], from: number): string => {
  let end = from;
  while (end < chars.length && /^[0-9]$/.test(chars[end] ?? "")) end++;
  return chars.slice(from, end).join("");
};

/** Compares the numbers that start at `i`. A zero inside a longer number is a digit like any other. */
function compareNumbers(left: readonly string[], right: readonly string[], i: number): number {
  let lead = "";
  if (left[i] === "0" || right[i] === "0") {
    for (let j = i - 1; j >= 0 && /^[0-9]$/.test(left[j] ?? ""); j--) {
      if (left[j] !== "0") {
        lead = "1";
        break;
      }
    }
  }
  const x = digitsAt(left, i);
  const y = digitsAt(right, i);
  const xValue = BigInt(lead + x || "0");
  const yValue = BigInt(lead + y || "0");
  if (xValue !== yValue) return xValue < yValue ? -1 : 1;
  return x.length - y.length;
}

/** Whole numbers of up to 64 bits in full; others in the shortest form, with an exponent from a million up. */
function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 64) return BigInt(String(value)).toString();
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(value);
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
}

class Printer {
  private readonly parts: string[] = [];
  private column = 0;

  private put(text: string): void {
    this.parts.push(text);
    const end = text.lastIndexOf("\n");
    if (end < 0) this.column += text.length;
    else this.column = text.length - end - 1;
  }

  private line(indent: number): void {
    if (this.column > 0) this.put("\n");
    this.put(" ".repeat(indent));
  }

  finish(): string {
    if (this.column > 0) this.put("\n");
    return this.parts.join("");
  }

  /** A node whose collections start on the current line. */
  node(value: unknown, indent: number): void {
    if (Array.isArray(value) && value.length > 0) this.list(value as unknown[], indent, true);
    else if (isObject(value) && Object.keys(value).length > 0) this.map(value, indent, true);
    else this.scalar(value, indent);
  }

  private map(value: Record<string, unknown>, indent: number, inline: boolean): void {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    keys.sort(compareYamlKeys).forEach((key, i) => {
      if (i > 0 || !inline) this.line(indent);
      const chars = Array.from(key);
      const analysis = analyze(chars);
      if (analysis.multiline || Buffer.byteLength(key) > simpleKeyBytesMax) {
        this.put("? ");
        this.text(key, indent + 2, false);
        this.line(indent);
        this.put(": ");
        this.node(value[key], indent + 2);
      } else {
        this.text(key, indent + 2, true);
        this.put(":");
        this.mapValue(value[key], indent);
      }
    });
  }

  private mapValue(value: unknown, indent: number): void {
    if (Array.isArray(value) && value.length > 0) this.list(value as unknown[], indent, false);
    else if (isObject(value) && Object.keys(value).length > 0) this.map(value, indent + 2, false);
    else {
      this.put(" ");
      this.scalar(value, indent + 2);
    }
  }

  private list(items: readonly unknown[], indent: number, inline: boolean): void {
    items.forEach((item, i) => {
      if (i > 0 || !inline) this.line(indent);
      this.put("- ");
      this.node(item, indent + 2);
    });
  }

  private scalar(value: unknown, indent: number): void {
    if (typeof value === "string") this.text(value, indent, false);
    else if (typeof value === "number") this.put(numberText(value));
    else if (typeof value === "boolean") this.put(String(value));
    else if (Array.isArray(value)) this.put("[]");
    else this.put(isObject(value) ? "{}" : "null");
  }

  private text(text: string, indent: number, simpleKey: boolean): void {
    const chars = Array.from(text);
    switch (styleOf(text, analyze(chars), simpleKey)) {
      case "plain":
        this.folded(chars, indent, simpleKey, false);
        break;
      case "single":
        this.put("'");
        this.folded(chars, indent, simpleKey, true);
        this.put("'");
        break;
      case "double":
        this.double(chars, indent, simpleKey);
        break;
      case "literal":
        this.literal(text, indent);
    }
  }

  /** Writes text whose single spaces may become line ends past the width. `quoted`: quotes are doubled. */
  private folded(chars: readonly string[], indent: number, simpleKey: boolean, quoted: boolean): void {
    const last = chars.length - 1;
    let afterSpace = false;
    chars.forEach((char, i) => {
      const inside = !quoted || (i > 0 && i < last);
      const mayFold = !simpleKey && char === " " && !afterSpace && inside && chars[i + 1] !== " ";
      if (mayFold && this.column > widthBest) this.line(indent);
      else this.put(quoted && char === "'" ? "''" : char);
      afterSpace = char === " ";
    });
  }

  private double(chars: readonly string[], indent: number, simpleKey: boolean): void {
    const last = chars.length - 1;
    let afterSpace = false;
    this.put('"');
    chars.forEach((char, i) => {
      const code = char.codePointAt(0) ?? 0;
      const isSpace = char === " ";
      const folds = isSpace && !simpleKey && !afterSpace && this.column > widthBest && i > 0 && i < last;
      if (folds) {
        this.line(indent);
        if (chars[i + 1] === " ") this.put("\\");
      } else if (char === '"' || char === "\\" || isBreak(code) || !isPrintable(code))
        this.put(escaped(code));
      else this.put(char);
      afterSpace = isSpace;
    });
    this.put('"');
  }

  private literal(text: string, indent: number): void {
    const hint = text.startsWith(" ") || text.startsWith("\n") ? "2" : "";
    const chomp = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : "";
    this.put(`|${hint}${chomp}\n`);
    const lines = text.split("\n");
    const closed = lines.at(-1) === "";
    if (closed) lines.pop();
    const pad = " ".repeat(indent);
    const body = lines.map((line) => (line === "" ? "" : pad + line)).join("\n");
    this.put(closed ? `${body}\n` : body);
  }
}

/** One document, ending with a line end. Several are joined by the caller with `---\n`. */
export function printYaml(value: unknown): string {
  const printer = new Printer();
  printer.node(value, 0);
  return printer.finish();
}
