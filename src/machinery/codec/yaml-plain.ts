// The YAML that most files are made of, read without a YAML library (which takes longer to load than they take to read):
// block mappings and lists of simple scalars. Whatever is not certainly that is left to the whole reader. Pure.

import { setOwn, type JsonObject } from "../json-object.ts";
import { resolvePlain } from "./yaml-scalar.ts";

/** Not for this reader. */
class NotPlain extends Error {}

interface Line {
  readonly indent: number;
  readonly text: string;
}

const keyed = /^([A-Za-z_][\w./-]*):(?: +(\S.*))?$/;
/** Starts of what is more than a word: anchors, flows, block texts, tags … */
const special = /^[&*!|>%@`{}[\],#?:]|^-(?:\s|$)|: | #|:$|\t/;
const depthMax = 64;

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.trimEnd();
    if (line === "" || /^ *#/.test(line)) continue;
    const indent = line.length - line.trimStart().length;
    if (line.includes("\t") || line.includes("\r") || /^(---|\.\.\.|%)/.test(line)) throw new NotPlain();
    lines.push({ indent, text: line.slice(indent) });
  }
  return lines;
}

function scalar(text: string): unknown {
  if (text === "{}") return {};
  if (text === "[]") return [];
  const quoted = /^"([^"\\]*)"$/.exec(text) ?? /^'([^']*)'$/.exec(text);
  if (quoted !== null) return quoted[1];
  if (/^["']/.test(text) || special.test(text)) throw new NotPlain();
  const value = resolvePlain(text);
  if (value.kind === "unsupported") throw new NotPlain();
  return value.kind === "null" ? null : value.value;
}

class Reader {
  private readonly lines: Line[];
  private at = 0;
  private depth = 0;

  constructor(lines: Line[]) {
    this.lines = lines;
  }

  whole(): unknown {
    const [first] = this.lines;
    if (first === undefined) return null;
    const value = this.block(first.indent);
    if (this.at < this.lines.length) throw new NotPlain();
    return value;
  }

  private block(indent: number): unknown {
    if (++this.depth > depthMax) throw new NotPlain();
    const line = this.lines[this.at];
    const value = line !== undefined && /^-(?: |$)/.test(line.text) ? this.list(indent) : this.map(indent);
    this.depth--;
    return value;
  }

  private map(indent: number): JsonObject {
    const out: JsonObject = {};
    for (let line = this.lines[this.at]; line?.indent === indent; line = this.lines[this.at]) {
      const [, key, text] = keyed.exec(line.text) ?? [];
      // A word that means a truth or nothing is another key than it looks; a second of one name is told elsewhere.
      if (key === undefined || Object.hasOwn(out, key) || resolvePlain(key).kind !== "string")
        throw new NotPlain();
      this.at++;
      setOwn(out, key, text === undefined ? this.nested(indent, true) : scalar(text));
    }
    this.checkNotDeeper(indent);
    return out;
  }

  private list(indent: number): unknown[] {
    const out: unknown[] = [];
    for (let line = this.lines[this.at]; line?.indent === indent; line = this.lines[this.at]) {
      const match = /^-(?:( +)(\S.*))?$/.exec(line.text);
      if (match === null) {
        if (/^-/.test(line.text)) throw new NotPlain();
        break;
      }
      const [, gap = "", rest] = match;
      if (rest === undefined) {
        this.at++;
        out.push(this.nested(indent, false));
      } else if (keyed.test(rest)) {
        // A mapping that begins on the line of its dash stands as deep as its first key.
        const deeper = indent + 1 + gap.length;
        this.lines[this.at] = { indent: deeper, text: rest };
        out.push(this.block(deeper));
      } else {
        this.at++;
        out.push(scalar(rest));
      }
    }
    this.checkNotDeeper(indent);
    return out;
  }

  /** What stands under a key or a dash: deeper lines; of a key also a list that is no deeper. */
  private nested(indent: number, ofKey: boolean): unknown {
    const next = this.lines[this.at];
    if (next === undefined || next.indent < indent) return null;
    if (next.indent > indent) return this.block(next.indent);
    return ofKey && /^-(?: |$)/.test(next.text) ? this.block(indent) : null;
  }

  /** A deeper line here continues a scalar, or is an error. */
  private checkNotDeeper(indent: number): void {
    const next = this.lines[this.at];
    if (next !== undefined && next.indent > indent) throw new NotPlain();
  }
}

/** One document, or undefined where it takes the whole reader. An empty document is null. */
export function readPlainYaml(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: new Reader(linesOf(text)).whole() };
  } catch (thrown) {
    if (thrown instanceof NotPlain) return undefined;
    throw thrown;
  }
}

/** Splits a stream into its documents at `---` lines, as clients do before they parse anything. */
export function splitYamlDocuments(text: string): string[] {
  return text.split(/^---(?:[ \t]+#.*|[ \t]*)\r?$\n?/m);
}
