// Command-line flags as kubectl reads them: which arguments are flags, their values, and what is said of wrong ones.

import { CommandError } from "./command.ts";
import { parseGoDuration } from "./go-duration.ts";

export type FlagType = "bool" | "string" | "int" | "duration" | "list" | "array";

export interface FlagSpec {
  readonly name: string;
  readonly shorthand?: string;
  readonly type: FlagType;
  /** As help shows it: `false`, `''`, `[]`, `500`. */
  readonly default: string;
  readonly usage: string;
  /** The value that the flag has where it stands alone: `--dry-run`, `--cascade`. */
  readonly alone?: string;
  readonly hidden?: boolean;
  readonly deprecated?: string;
}

export class FlagError extends CommandError {}
export class HelpWanted extends Error {}

const bools = new Map<string, boolean>([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

/** Undefined where the text is none of the words for true and false. */
export const parseBool = (text: string): boolean | undefined => bools.get(text);

/** Why the text is no value of this type, in the words of the runtime kubectl is built with. */
function badValue(type: FlagType, text: string): string | undefined {
  const quoted = JSON.stringify(text);
  switch (type) {
    case "bool":
      return bools.has(text) ? undefined : `strconv.ParseBool: parsing ${quoted}: invalid syntax`;
    case "int": {
      if (!/^[+-]?(\d[\d_]*|0x[\da-fA-F]+|0o?[0-7]+|0b[01]+)$/.test(text))
        return `strconv.ParseInt: parsing ${quoted}: invalid syntax`;
      return Number.isSafeInteger(Number(text))
        ? undefined
        : `strconv.ParseInt: parsing ${quoted}: value out of range`;
    }
    case "duration": {
      const { error } = parseGoDuration(text);
      return error;
    }
    case "string":
    case "list":
    case "array":
      return undefined;
  }
}

/** `a,"b,c"` as a line of comma-separated values. */
function splitCommas(text: string): string[] {
  if (text === "") return [];
  if (!text.includes('"')) return text.split(",");
  const out: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    out.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
  return out;
}

/** The values that were given, over the defaults. */
export class ParsedFlags {
  private readonly values = new Map<string, string[]>();
  private readonly specs: ReadonlyMap<string, FlagSpec>;

  constructor(specs: ReadonlyMap<string, FlagSpec>) {
    this.specs = specs;
  }

  set(name: string, value: string): void {
    const spec = this.spec(name);
    const repeated = spec.type === "list" || spec.type === "array";
    const added = spec.type === "list" ? splitCommas(value) : [value];
    this.values.set(name, repeated ? [...(this.values.get(name) ?? []), ...added] : added);
  }

  has(name: string): boolean {
    return this.specs.has(name);
  }

  /** Whether the flag was given at all. */
  changed(name: string): boolean {
    return this.values.has(name);
  }

  string(name: string): string {
    return this.values.get(name)?.at(-1) ?? this.spec(name).default.replace(/^'(.*)'$/s, "$1");
  }

  bool(name: string): boolean {
    return bools.get(this.string(name)) ?? false;
  }

  int(name: string): number {
    return Number(this.string(name));
  }

  list(name: string): readonly string[] {
    const given = this.values.get(name);
    if (given !== undefined) return given;
    return splitCommas(this.spec(name).default.replace(/^\[(.*)\]$/s, "$1"));
  }

  durationMs(name: string): number {
    return parseGoDuration(this.string(name)).ms;
  }

  /** The same values, without those of flags that these specs do not have as they are here. */
  only(specs: readonly FlagSpec[]): ParsedFlags {
    const view = new ParsedFlags(new Map(specs.map((spec) => [spec.name, spec])));
    for (const spec of specs) {
      const given = this.values.get(spec.name);
      if (given !== undefined && this.specs.get(spec.name) === spec) view.values.set(spec.name, given);
    }
    return view;
  }

  private spec(name: string): FlagSpec {
    const spec = this.specs.get(name);
    if (spec === undefined) throw new Error(`there is no flag ${name}`);
    return spec;
  }
}

export interface ParsedArguments {
  readonly flags: ParsedFlags;
  readonly args: readonly string[];
  readonly argsLengthAtDash: number;
}

const aloneOf = (spec: FlagSpec): string | undefined =>
  spec.alone ?? (spec.type === "bool" ? "true" : undefined);

/** `-o, --output`: how messages call a flag. */
const calledBy = (spec: FlagSpec): string =>
  spec.shorthand === undefined ? `--${spec.name}` : `-${spec.shorthand}, --${spec.name}`;

export const normalizeFlagName = (name: string): string => name.replaceAll("_", "-");

class Parser {
  readonly flags: ParsedFlags;
  readonly args: string[] = [];
  argsLengthAtDash = -1;
  private readonly byName: ReadonlyMap<string, FlagSpec>;
  private readonly byShorthand: ReadonlyMap<string, FlagSpec>;
  private readonly left: string[];

  constructor(specs: readonly FlagSpec[], argv: readonly string[]) {
    this.byName = new Map(specs.map((spec) => [spec.name, spec]));
    this.byShorthand = new Map(specs.flatMap((spec) => (spec.shorthand ? [[spec.shorthand, spec]] : [])));
    this.flags = new ParsedFlags(this.byName);
    this.left = [...argv];
  }

  parse(): void {
    for (let arg = this.left.shift(); arg !== undefined; arg = this.left.shift()) {
      if (arg === "--") {
        this.argsLengthAtDash = this.args.length;
        this.args.push(...this.left);
        return;
      }
      if (!arg.startsWith("-") || arg === "-") this.args.push(arg);
      else if (arg.startsWith("--")) this.long(arg);
      else this.short(arg);
    }
  }

  private long(arg: string): void {
    const text = arg.slice(2);
    if (text.startsWith("-") || text.startsWith("=")) throw new FlagError(`bad flag syntax: ${arg}`);
    const at = text.indexOf("=");
    const given = at < 0 ? text : text.slice(0, at);
    const spec = this.byName.get(normalizeFlagName(given));
    if (spec === undefined) {
      if (given === "help") throw new HelpWanted();
      throw new FlagError(`unknown flag: --${given}`);
    }
    const alone = aloneOf(spec);
    if (at >= 0) return this.set(spec, text.slice(at + 1));
    if (alone !== undefined) return this.set(spec, alone);
    const value = this.left.shift();
    if (value === undefined) throw new FlagError(`flag needs an argument: ${arg}`);
    this.set(spec, value);
  }

  private short(arg: string): void {
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] as string;
      const rest = arg.slice(at + 1);
      const spec = this.byShorthand.get(letter);
      if (spec === undefined) {
        if (letter === "h") throw new HelpWanted();
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${arg.slice(at)}`);
      }
      if (rest.startsWith("=")) return this.set(spec, rest.slice(1));
      const alone = aloneOf(spec);
      if (alone !== undefined) {
        this.set(spec, alone);
        continue;
      }
      const value = rest === "" ? this.left.shift() : rest;
      if (value === undefined)
        throw new FlagError(`flag needs an argument: '${letter}' in -${arg.slice(at)}`);
      return this.set(spec, value);
    }
  }

  private set(spec: FlagSpec, value: string): void {
    const why = badValue(spec.type, value);
    if (why !== undefined)
      throw new FlagError(
        `invalid argument ${JSON.stringify(value)} for ${JSON.stringify(calledBy(spec))} flag: ${why}`,
      );
    this.flags.set(spec.name, value);
  }
}

/** Flags may stand anywhere before `--`. Throws FlagError, or HelpWanted at `-h` and `--help`. */
export function parseFlags(specs: readonly FlagSpec[], argv: readonly string[]): ParsedArguments {
  const parser = new Parser(specs, argv);
  parser.parse();
  return parser;
}

/** The first argument that is no flag nor a flag's value, and where it stands: the name of the command. */
export function findCommandName(specs: readonly FlagSpec[], argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at] as string;
    if (arg === "--") return -1;
    if (!arg.startsWith("-") || arg === "-") return at;
    if (arg.includes("=")) continue;
    const spec = arg.startsWith("--")
      ? specs.find(({ name }) => name === normalizeFlagName(arg.slice(2)))
      : arg.length === 2
        ? specs.find(({ shorthand }) => shorthand === arg[1])
        : undefined;
    if (spec !== undefined && aloneOf(spec) === undefined) at++;
  }
  return -1;
}
