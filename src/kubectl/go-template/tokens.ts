// The text of a go-template → its pieces: plain text, and the words of each `{{action}}`. Pure.

export class TemplateError extends Error {}

type Meaning =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  /** `.a`, `$x`, `name`, `|`, `(`, `)`, `:=`, `=`, `,` and the lone `.`. */
  | { readonly kind: "field" | "variable" | "word" | "symbol"; readonly text: string };

export type Token = Meaning & {
  /** Where it stands in the template. */
  readonly at: number;
  readonly end: number;
};

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "action";
      readonly source: string;
      readonly tokens: readonly Token[];
      readonly line: number;
    };

const patterns: readonly (readonly [RegExp, (match: RegExpExecArray) => Meaning | undefined])[] = [
  [/\s+/y, () => undefined],
  [/"(?:\\.|[^"\\\n])*"/y, ([text]) => ({ kind: "string", value: unquote(text) })],
  [/`[^`]*`/y, ([text]) => ({ kind: "string", value: text.slice(1, -1) })],
  [
    /'(?:\\.|[^'\\\n])'/y,
    ([text]) => ({ kind: "number", value: unquote(`"${text.slice(1, -1)}"`).codePointAt(0) ?? 0 }),
  ],
  [
    /[+-]?(?:0x[\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)/y,
    ([text]) => ({ kind: "number", value: Number(text) }),
  ],
  [/\.[\p{L}_][\p{L}\p{Nd}_]*/uy, ([text]) => ({ kind: "field", text: text.slice(1) })],
  [/\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?/uy, ([text]) => ({ kind: "variable", text })],
  [/[\p{L}_][\p{L}\p{Nd}_]*/uy, ([text]) => ({ kind: "word", text })],
  [/:=|[=|(),.]/y, ([text]) => ({ kind: "symbol", text })],
];

function unquote(text: string): string {
  const named: Readonly<Record<string, string>> = {
    n: "\n",
    t: "\t",
    r: "\r",
    a: "\u0007",
    b: "\b",
    f: "\f",
    v: "\v",
  };
  return text
    .slice(1, -1)
    .replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|.)/g, (_, escape: string) => {
      if (/^[xuU]./.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
      if (/^[0-7]{3}$/.test(escape)) return String.fromCodePoint(Number.parseInt(escape, 8));
      return named[escape] ?? escape;
    });
}

function tokensOf(text: string, from: number, to: number, line: number): Token[] {
  const tokens: Token[] = [];
  next: for (let at = from; at < to;) {
    for (const [pattern, make] of patterns) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match === null) continue;
      const meaning = make(match);
      const end = pattern.lastIndex;
      if (meaning !== undefined) tokens.push({ ...meaning, at, end });
      at = end;
      continue next;
    }
    throw new TemplateError(`template: output:${line}: ${badCharacter(text, at)}`);
  }
  return tokens;
}

function badCharacter(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0;
  const character = String.fromCodePoint(code);
  if (character === '"') return "unterminated quoted string";
  if (character === "`") return "unterminated raw quoted string";
  if (character === "'") return "unterminated character constant";
  return `bad character U+${code.toString(16).toUpperCase().padStart(4, "0")} '${character}'`;
}

/** Where an action ends: its first `}}` outside of quotes. */
function endOfAction(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"' || character === "`" || character === "'") {
      const quote = character;
      for (at++; at < text.length && text[at] !== quote; at++) if (text[at] === "\\" && quote !== "`") at++;
    } else if (text.startsWith("}}", at)) return at;
  }
  return -1;
}

export function splitTemplate(text: string): Piece[] {
  const pieces: Piece[] = [];
  let trimNext = false;
  const addText = (raw: string, trimEnd: boolean): void => {
    const left = trimNext ? raw.trimStart() : raw;
    const trimmed = trimEnd ? left.trimEnd() : left;
    if (trimmed !== "") pieces.push({ kind: "text", text: trimmed });
  };
  for (let at = 0; at < text.length;) {
    const open = text.indexOf("{{", at);
    const trimBefore = open >= 0 && /^\{\{- /.test(text.slice(open, open + 4).replace(/\s/g, " "));
    addText(text.slice(at, open < 0 ? text.length : open), trimBefore);
    if (open < 0) break;
    const line = text.slice(0, open).split("\n").length;
    const start = open + (trimBefore ? 3 : 2);
    const comment = /^\s*\/\*[\s\S]*?\*\/\s*/.exec(text.slice(start));
    const end =
      comment === null ? endOfAction(text, start) : text.indexOf("}}", start + comment[0].length - 1);
    if (end < 0) {
      // What is wrong in it is told first.
      tokensOf(text, start, text.length, line);
      throw new TemplateError(`template: output:${line}: unclosed action`);
    }
    trimNext = /\s-$/.test(text.slice(start, end));
    const to = trimNext ? end - 1 : end;
    if (comment === null) {
      const source = text.slice(start, to).trim();
      pieces.push({ kind: "action", source, tokens: tokensOf(text, start, to, line), line });
    }
    at = end + 2;
  }
  return pieces;
}
