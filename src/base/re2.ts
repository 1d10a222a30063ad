// Regular expressions that users write: RE2's grammar, matched in linear time, whatever the text. Import this file
// only from what is loaded on demand: the engine's tables of Unicode are large.
import { RE2JS } from "re2js";

/** Compiled expressions kept for the next use of the same text. */
const keptMax = 256;
const kept = new Map<string, Pattern>();

export class Pattern {
  private readonly compiled: RE2JS;

  private constructor(text: string) {
    this.compiled = RE2JS.compile(text);
  }

  /** Throws an Error that says what is wrong with the expression. */
  static of(text: string): Pattern {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const made = new Pattern(text);
    if (kept.size >= keptMax) kept.clear();
    kept.set(text, made);
    return made;
  }

  /** Whether it is found anywhere in the text. */
  test(text: string): boolean {
    return this.compiled.matcher(text).find();
  }

  /** The first text that it matches. */
  find(text: string): string | undefined {
    const matcher = this.compiled.matcher(text);
    return matcher.find() ? (matcher.group() ?? "") : undefined;
  }

  /** All texts that it matches, one after the other, at most so many; an empty one right after another is none. */
  findAll(text: string, max = Infinity): string[] {
    const matcher = this.compiled.matcher(text);
    const out: string[] = [];
    let previousEnd = -1;
    while (out.length < max && matcher.find()) {
      const found = matcher.group() ?? "";
      const start = matcher.start();
      if (found === "" && start === previousEnd) continue;
      out.push(found);
      previousEnd = start + found.length;
    }
    return out;
  }
}
