// YAML → JSON values as Kubernetes clients and servers read them: YAML 1.1 words and numbers, keys turned into
// strings, merge keys, documents split at `---` lines. Aliases are copied, and bounded: a bomb is refused.
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type YAMLMap } from "yaml";
import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import { splitYamlDocuments } from "./yaml-plain.ts";
import { resolvePlain } from "./yaml-scalar.ts";

export { printYaml } from "./yaml-print.ts";
export { splitYamlDocuments } from "./yaml-plain.ts";

/** The text is not YAML that has a JSON form. The message starts like `yaml: line 3: …`. */
export class YamlError extends Error {
  override name = "YamlError";
}

export interface ParsedYaml {
  readonly value: unknown;
  /** `line 4: key "a" already set in map`: the later value won. */
  readonly duplicates: readonly string[];
}

/** Nodes of one document after aliases are copied. */
export const yamlNodesMax = 400_000;
export const yamlDepthMax = 1000;

/** What the parser says → what Kubernetes clients know. */
const knownMessages: { readonly [code: string]: string } = {
  BAD_INDENT: "did not find expected key",
  TAB_AS_INDENT: "found a tab character that violates indentation",
  BAD_DQ_ESCAPE: "found unknown escape character",
  BLOCK_AS_IMPLICIT_KEY: "mapping values are not allowed in this context",
  MISSING_CHAR: "could not find expected ':'",
  MULTILINE_IMPLICIT_KEY: "could not find expected ':'",
  UNEXPECTED_TOKEN: "did not find expected node content",
  BAD_SCALAR_START: "found character that cannot start any token",
};

class Reader {
  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<Node>();
  private readonly lines: number[];
  readonly duplicates: string[] = [];
  private count = 0;
  private depth = 0;

  constructor(text: string) {
    this.lines = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.lines.push(at + 1);
  }

  private lineOf(node: Node): number {
    const offset = node.range?.[0] ?? 0;
    let low = 0;
    let high = this.lines.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.lines[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  read(node: Node | null): unknown {
    if (node === null) return null;
    if (++this.count > yamlNodesMax) throw new YamlError("yaml: document contains excessive aliasing");
    if (this.depth >= yamlDepthMax) throw new YamlError("yaml: exceeded max depth");
    if (isAlias(node)) return this.alias(node.source);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.anchors.set(anchor, node);
    if (isScalar(node)) return this.scalar(node.value, node.type, node.tag, node.source);
    this.depth++;
    this.open.add(node);
    const value = isMap(node) ? this.map(node) : isSeq(node) ? this.list(node.items as Node[]) : null;
    this.open.delete(node);
    this.depth--;
    return value;
  }

  private list(items: readonly (Node | null)[]): unknown[] {
    return items.map((item) => this.read(item));
  }

  private alias(name: string): unknown {
    const target = this.anchors.get(name);
    if (target === undefined) throw new YamlError(`yaml: unknown anchor '${name}' referenced`);
    if (this.open.has(target)) throw new YamlError(`yaml: anchor '${name}' value contains itself`);
    return this.read(target);
  }

  private map(node: YAMLMap): JsonObject {
    const out: JsonObject = {};
    const own = new Set<string>();
    for (const pair of node.items) {
      const key = pair.key as Node | null;
      const value = pair.value as Node | null;
      if (isScalar(key) && key.type === "PLAIN" && key.value === "<<") {
        this.merge(out, this.read(value));
        continue;
      }
      const name = this.key(key, value);
      if (own.has(name)) {
        const line = key === null ? 1 : this.lineOf(key);
        this.duplicates.push(`line ${line}: key ${JSON.stringify(name)} already set in map`);
      }
      own.add(name);
      setOwn(out, name, this.read(value));
    }
    return out;
  }

  private merge(out: JsonObject, source: unknown): void {
    // Of several, the earlier ones win: they are merged last.
    const sources: unknown[] = Array.isArray(source) ? (source as unknown[]).toReversed() : [source];
    for (const item of sources) {
      if (!isObject(item))
        throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
      for (const key of Object.keys(item)) setOwn(out, key, item[key]);
    }
  }

  private key(node: Node | null, value: Node | null): string {
    const key = this.read(node);
    if (typeof key === "string") return key;
    if (typeof key === "number" || typeof key === "boolean") return String(key);
    if (key !== null) throw new YamlError(`yaml: invalid map key: ${JSON.stringify(key)}`);
    const shown = JSON.stringify(this.read(value));
    throw new YamlError(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${shown}`);
  }

  private scalar(
    value: unknown,
    type: string | undefined,
    tag: string | undefined,
    source?: string,
  ): unknown {
    const text = typeof value === "string" ? value : (source ?? "");
    const short = tag?.replace("tag:yaml.org,2002:", "");
    if (short === "binary") return Buffer.from(text, "base64").toString();
    if (short === "str" || short === "!" || (short !== undefined && short.startsWith("!"))) return text;
    if (type !== "PLAIN" && short === undefined) return text;
    const plain = resolvePlain(text);
    if (plain.kind === "unsupported") throw new YamlError(`json: unsupported value: ${plain.name}`);
    return plain.kind === "null" ? null : plain.value;
  }
}

function problemOf(code: string, message: string): string {
  if (/flow map/i.test(message)) return "did not find expected ',' or '}'";
  if (/flow seq/i.test(message)) return "did not find expected ',' or ']'";
  if (/closing ["']quote/i.test(message)) return "found unexpected end of stream";
  return knownMessages[code] ?? message.split(" at line ")[0] ?? message;
}

/** Problems of single characters are told without a line where that is the first. */
const ofCharacters = new Set(["BLOCK_AS_IMPLICIT_KEY", "BAD_DQ_ESCAPE", "BAD_SCALAR_START", "TAB_AS_INDENT"]);

function lineOf(document: Document, text: string): number {
  const [error, second] = document.errors;
  if (error === undefined) return 1;
  const lineAt = (offset: number): number => text.slice(0, offset).split("\n").length;
  // A key over two lines is really a value where none may stand: on its last line.
  if (second?.code === "MULTILINE_IMPLICIT_KEY" && second.pos[0] === error.pos[0])
    return lineAt(second.pos[1]);
  const line = error.linePos?.[0].line ?? lineAt(error.pos[0]);
  if (/^Flow/.test(error.message)) return Math.max(1, line - 1);
  return error.code === "MULTILINE_IMPLICIT_KEY" ? lineAt(error.pos[1]) : line;
}

/** Whether what stands before this line is a plain value, which the line would go on with. */
function continuesScalar(text: string, line: number): boolean {
  const before = text
    .split("\n", line - 1)
    .map((row) => row.replace(/(^|\s)#.*$/, "").trimEnd())
    .findLast((row) => row !== "");
  return before !== undefined && !/(^|\s)[-?]$|:$|^---/.test(before);
}

function checked(document: Document, text: string): void {
  const [error] = document.errors;
  if (error === undefined) return;
  if (error.message.includes("call stack")) throw new YamlError("yaml: exceeded max depth");
  const line = lineOf(document, text);
  const where = line === 1 && ofCharacters.has(error.code) ? "" : `line ${line}: `;
  const problem =
    error.code === "TAB_AS_INDENT" && !continuesScalar(text, line)
      ? "found character that cannot start any token"
      : problemOf(error.code, error.message);
  throw new YamlError(`yaml: ${where}${problem}`);
}

/** One document. Throws `YamlError`. An empty document is null. */
export function parseYaml(text: string): ParsedYaml {
  try {
    const document = parseDocument(text, {
      schema: "failsafe",
      uniqueKeys: false,
      merge: false,
      prettyErrors: true,
      logLevel: "silent",
    });
    checked(document, text);
    const reader = new Reader(text);
    const value = reader.read(document.contents);
    return { value, duplicates: reader.duplicates };
  } catch (thrown) {
    // Deep nesting exhausts the parser's stack before our own bound is reached.
    if (thrown instanceof RangeError) throw new YamlError("yaml: exceeded max depth");
    throw thrown;
  }
}

/** All documents of a stream that hold something, in order. */
export function parseYamlDocuments(text: string): ParsedYaml[] {
  return splitYamlDocuments(text)
    .map((document) => parseYaml(document))
    .filter(({ value }) => value !== null);
}
