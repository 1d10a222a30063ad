// The extended strings library: positions are in characters, as `size` counts them.
import { overload, readsFirst, tenth, type CostRule, type Overload } from "../signature.ts";
import { formatText } from "../format-text.ts";
import { EvaluationError, ListValue, type Value } from "../value.ts";
import { textLength } from "./conversions.ts";

const sameSize: CostRule = (sizes) => sizes.size(0);
const bothRead: CostRule = (sizes) => tenth(sizes.size(0)) * tenth(sizes.size(1));
/** No expression makes a string longer than this. */
const textMax = 64 * 1024 * 1024;
const isPlain = (text: string): boolean => textLength(text) === text.length;

function outOfRange(index: bigint | number): EvaluationError {
  return new EvaluationError(`index out of range: ${index}`);
}

function charAt(text: string, index: bigint): string {
  const chars = isPlain(text) ? text : [...text];
  if (index < 0n || index > BigInt(chars.length)) throw outOfRange(index);
  return chars[Number(index)] ?? "";
}

/** The place of a unit in characters. */
const inCharacters = (text: string, at: number): bigint =>
  BigInt(at < 0 ? at : textLength(text.slice(0, at)));

/** The place of a character in units. */
function inUnits(text: string, index: bigint): number {
  if (index < 0n || index > BigInt(textLength(text))) throw outOfRange(index);
  return [...text].slice(0, Number(index)).join("").length;
}

function indexOf(text: string, part: string, from = 0n): bigint {
  return inCharacters(text, text.indexOf(part, inUnits(text, from)));
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const at = from === undefined ? text.lastIndexOf(part) : text.lastIndexOf(part, inUnits(text, from));
  return inCharacters(text, at);
}

function substring(text: string, start: bigint, end?: bigint): string {
  const chars = [...text];
  const last = end ?? BigInt(chars.length);
  if (start < 0n || start > BigInt(chars.length)) throw outOfRange(start);
  if (last < 0n || last > BigInt(chars.length)) throw outOfRange(last);
  if (start > last) throw new EvaluationError(`invalid substring range. start: ${start}, end: ${last}`);
  return chars.slice(Number(start), Number(last)).join("");
}

function replace(text: string, part: string, by: string, limit = -1n): string {
  const most = part === "" ? textLength(text) + 1 : Math.ceil(text.length / part.length);
  const times = limit >= 0n && limit < BigInt(most) ? Number(limit) : most;
  if (text.length + times * by.length > textMax && text.split(part).length * by.length > textMax)
    throw new EvaluationError("replace makes a string that is too long");
  if (limit < 0n) return text.replaceAll(part, () => by);
  const pieces = splitText(text, part, limit + 1n);
  return pieces.join(by);
}

/** At most `limit` pieces, the last with the rest; all of them when it is negative. */
function splitText(text: string, separator: string, limit = -1n): string[] {
  if (limit === 0n) return [];
  const all = separator === "" ? [...text] : text.split(separator);
  if (limit < 0n || BigInt(all.length) <= limit) return all;
  const count = Number(limit) - 1;
  return [...all.slice(0, count), all.slice(count).join(separator)];
}

function join(list: ListValue, separator = ""): string {
  const texts = [...list];
  if (!texts.every((one) => typeof one === "string")) throw new EvaluationError("no such overload");
  return texts.join(separator);
}

const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase());

const isSpace = (text: string, at: number): boolean => /\p{White_Space}/u.test(text.charAt(at));

/** From both ends, without looking at what is between them. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text, start)) start++;
  while (end > start && isSpace(text, end - 1)) end--;
  return text.slice(start, end);
}

const quoteEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
const quote = (text: string): string =>
  `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => quoteEscapes[char] ?? char)}"`;

const listOfTexts = (texts: readonly string[]): Value => ListValue.of(texts);

export const strings: readonly Overload[] = [
  overload("string.charAt(int): string", charAt, undefined, () => 4),
  overload("string.indexOf(string): int", indexOf, bothRead),
  overload("string.indexOf(string, int): int", indexOf, bothRead),
  overload("string.lastIndexOf(string): int", lastIndexOf, bothRead),
  overload("string.lastIndexOf(string, int): int", lastIndexOf, bothRead),
  overload("string.lowerAscii(): string", lower, readsFirst, sameSize),
  overload("string.upperAscii(): string", upper, readsFirst, sameSize),
  overload("string.trim(): string", trimmed, readsFirst, sameSize),
  overload("string.substring(int): string", substring, readsFirst, sameSize),
  overload("string.substring(int, int): string", substring, readsFirst, sameSize),
  overload("string.replace(string, string): string", replace, readsFirst, replacedSize),
  overload("string.replace(string, string, int): string", replace, readsFirst, replacedSize),
  overload(
    "string.split(string): list(string)",
    (text: string, by: string) => listOfTexts(splitText(text, by)),
    readsFirst,
    sameSize,
  ),
  overload(
    "string.split(string, int): list(string)",
    (text: string, by: string, limit: bigint) => listOfTexts(splitText(text, by, limit)),
    readsFirst,
    sameSize,
  ),
  overload(
    "list(string).join(): string",
    join,
    (sizes) => sizes.traversal(0),
    (sizes) => sizes.traversal(0) * 10,
  ),
  overload(
    "list(string).join(string): string",
    join,
    (sizes) => sizes.traversal(0) + tenth(sizes.size(0) * sizes.size(1)),
    (sizes) => sizes.traversal(0) * 10 + sizes.size(0) * sizes.size(1),
  ),
  overload("strings::quote(string): string", quote, readsFirst, (sizes) => sizes.size(0) * 2 + 2),
  overload(
    "string.format(list(dyn)): string",
    formatText,
    (sizes) => tenth(sizes.size(0)) + sizes.traversal(1),
  ),
];

/** Each character may make way for the new text, which may also stand between all of them. */
function replacedSize(sizes: Parameters<CostRule>[0]): number {
  return (sizes.size(0) + 1) * Math.max(1, sizes.size(2)) + sizes.size(0);
}
