// The JSON front of the server: parses text as data (keys such as `__proto__` included), bounds its nesting before
// anything recursive sees it, finds duplicate keys when asked, and names syntax errors as Kubernetes does.

export class JsonSyntaxError extends Error {
  override name = "JsonSyntaxError";
}

export interface ParsedJson {
  readonly value: unknown;
  /** `duplicate field "metadata.name"`, each once, in document order; at most `duplicateErrorsMax`. */
  readonly duplicates: readonly string[];
}

export const jsonDepthMax = 1000;
export const duplicateErrorsMax = 100;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;

/** The index just after a string that starts (after its quote) at `from`; -1 when it never ends. */
function afterString(text: string, from: number): number {
  let at = from;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) return -1;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end + 1;
    at = end + 1;
  }
}

/** How deep the text nests and how many object members it writes, looking at brackets and colons only. */
function measure(text: string): { depth: number; members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      const after = afterString(text, i + 1);
      if (after < 0) break;
      i = after - 1;
    } else if (code === openBrace || code === openBracket) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === closeBrace || code === closeBracket) depth--;
    else if (code === colon) members++;
  }
  return { depth: deepest, members };
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  const keys = Object.keys(value);
  count = keys.length;
  for (const key of keys) count += countMembers((value as Record<string, unknown>)[key]);
  return count;
}

/** Throws `JsonSyntaxError`. `duplicates` asks for duplicate keys; without it the list is empty. */
export function parseJson(text: string, options: { readonly duplicates?: boolean } = {}): ParsedJson {
  const { depth, members } = measure(text);
  if (depth > jsonDepthMax) throw new JsonSyntaxError("exceeded max depth");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonSyntaxError(new SyntaxReader(text).problem());
  }
  const repeated = options.duplicates === true && countMembers(value) !== members;
  return { value, duplicates: repeated ? findDuplicates(text) : [] };
}

/** Walks valid JSON text once more, only because some key repeats. */
function findDuplicates(text: string): string[] {
  const found = new Set<string>();
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs);
  interface Frame {
    readonly path: string;
    readonly keys: Set<string> | undefined;
    index: number;
    key: string;
  }
  const frames: Frame[] = [];
  let key: string | undefined;
  const here = (): string => {
    const top = frames.at(-1);
    if (top === undefined) return "";
    if (top.keys === undefined) return `${top.path}[${top.index}]`;
    return top.path === "" ? top.key : `${top.path}.${top.key}`;
  };
  for (const [token] of tokens) {
    const top = frames.at(-1);
    if (token === "{") frames.push({ path: here(), keys: new Set(), index: 0, key: "" });
    else if (token === "[") frames.push({ path: here(), keys: undefined, index: 0, key: "" });
    else if (token === "}" || token === "]") frames.pop();
    else if (token === ",") {
      if (top !== undefined) top.index++;
    } else if (token === ":" && top?.keys !== undefined && key !== undefined) {
      top.key = key;
      if (top.keys.has(key) && found.size < duplicateErrorsMax) {
        found.add(`duplicate field ${JSON.stringify(here())}`);
      }
      top.keys.add(key);
    } else if (token.startsWith('"')) key = JSON.parse(token) as string;
  }
  return [...found];
}

const digit = /[0-9]/;

/** Finds what is wrong with text that is not JSON, in the words Kubernetes clients know. */
class SyntaxReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  problem(): string {
    try {
      this.value();
      this.space();
      if (this.at < this.text.length) this.fail("after top-level value");
    } catch (thrown) {
      if (thrown instanceof JsonSyntaxError) return thrown.message;
      throw thrown;
    }
    return "invalid JSON";
  }

  private fail(where: string): never {
    if (this.at >= this.text.length) throw new JsonSyntaxError("unexpected end of JSON input");
    const character = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0);
    const shown =
      character === "'" ? `'\\''` : character === '"' ? `'"'` : `'${JSON.stringify(character).slice(1, -1)}'`;
    throw new JsonSyntaxError(`invalid character ${shown} ${where}`);
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private space(): void {
    while (" \t\r\n".includes(this.peek()) && this.at < this.text.length) this.at++;
  }

  private value(): void {
    this.space();
    const first = this.peek();
    if (first === "{") this.members();
    else if (first === "[") this.items();
    else if (first === '"') this.string();
    else if (first === "t") this.literal("true");
    else if (first === "f") this.literal("false");
    else if (first === "n") this.literal("null");
    else if (first === "-" || digit.test(first)) this.number();
    else this.fail("looking for beginning of value");
  }

  private members(): void {
    this.at++;
    this.space();
    if (this.peek() === "}") {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      if (this.peek() !== '"') this.fail("looking for beginning of object key string");
      this.string();
      this.space();
      if (this.peek() !== ":") this.fail("after object key");
      this.at++;
      this.value();
      this.space();
      const next = this.peek();
      if (next !== "," && next !== "}") this.fail("after object key:value pair");
      this.at++;
      if (next === "}") return;
    }
  }

  private items(): void {
    this.at++;
    this.space();
    if (this.peek() === "]") {
      this.at++;
      return;
    }
    for (;;) {
      this.value();
      this.space();
      const next = this.peek();
      if (next !== "," && next !== "]") this.fail("after array element");
      this.at++;
      if (next === "]") return;
    }
  }

  private string(): void {
    this.at++;
    for (;;) {
      const next = this.peek();
      if (next === '"') break;
      if (next === "" || next < " ") this.fail("in string literal");
      if (next === "\\") this.escape();
      this.at++;
    }
    this.at++;
  }

  private escape(): void {
    this.at++;
    if (this.peek() === "u") {
      for (let i = 0; i < 4; i++) {
        this.at++;
        if (!/[0-9a-fA-F]/.test(this.peek())) this.fail("in \\u hexadecimal character escape");
      }
    } else if (!'"\\/bfnrt'.includes(this.peek()) || this.peek() === "") this.fail("in string escape code");
  }

  private literal(word: string): void {
    for (const letter of word) {
      if (this.peek() !== letter) this.fail(`in literal ${word} (expecting '${letter}')`);
      this.at++;
    }
  }

  private digits(where: string): void {
    if (!digit.test(this.peek())) this.fail(where);
    while (digit.test(this.peek())) this.at++;
  }

  private number(): void {
    if (this.peek() === "-") this.at++;
    if (this.peek() === "0") this.at++;
    else this.digits("in numeric literal");
    if (this.peek() === ".") {
      this.at++;
      this.digits("after decimal point in numeric literal");
    }
    if (this.peek() === "e" || this.peek() === "E") {
      this.at++;
      if (this.peek() === "+" || this.peek() === "-") this.at++;
      this.digits("in exponent of numeric literal");
    }
  }
}
