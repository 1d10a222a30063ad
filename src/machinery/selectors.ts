// Label selectors: the string syntax of `-l`, the LabelSelector object, and what they match. Pure.

import { checkLabelValue, checkQualifiedName } from "./names.ts";
import type { DeepReadonly } from "./meta.ts";

export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "GreaterThan" | "LessThan";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** All requirements must hold; none match everything. */
export type Selector = readonly Requirement[];

export const everything: Selector = [];

export interface LabelSelectorObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export type Labels = Readonly<Record<string, string>> | undefined;

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const present = labels !== undefined && Object.hasOwn(labels, key);
  const value = present ? (labels[key] as string) : "";
  switch (operator) {
    case "In":
      return present && values.includes(value);
    case "NotIn":
      return !present || !values.includes(value);
    case "Exists":
      return present;
    case "DoesNotExist":
      return !present;
    case "GreaterThan":
      return present && /^-?\d+$/.test(value) && BigInt(value) > BigInt(values[0] as string);
    case "LessThan":
      return present && /^-?\d+$/.test(value) && BigInt(value) < BigInt(values[0] as string);
  }
}

export function matches(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => holds(requirement, labels));
}

/** A plain map of labels (`spec.selector` of Services and ReplicationControllers) as a selector. */
export function selectorFromMap(map: Labels): Selector {
  return Object.entries(map ?? {}).map(([key, value]) => ({ key, operator: "In", values: [value] }));
}

/** A LabelSelector object as a selector. An absent one matches nothing, which is `undefined`. Throws on a bad operator. */
export function selectorFromObject(
  object: DeepReadonly<LabelSelectorObject> | undefined,
): Selector | undefined {
  if (object === undefined) return undefined;
  const expressions = (object.matchExpressions ?? []).map(({ key, operator, values = [] }): Requirement => {
    if (!["In", "NotIn", "Exists", "DoesNotExist"].includes(operator))
      throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`);
    return { key, operator: operator as Operator, values };
  });
  return [...selectorFromMap(object.matchLabels), ...expressions];
}

/** The string form, keys sorted, as `status.selector` of a Scale has it. */
export function formatSelector(selector: Selector): string {
  return [...selector]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key, operator, values }) => {
      const sorted = [...values].sort();
      switch (operator) {
        case "In":
          return sorted.length === 1 ? `${key}=${sorted[0]}` : `${key} in (${sorted.join(",")})`;
        case "NotIn":
          return sorted.length === 1 ? `${key}!=${sorted[0]}` : `${key} notin (${sorted.join(",")})`;
        case "Exists":
          return key;
        case "DoesNotExist":
          return `!${key}`;
        case "GreaterThan":
          return `${key}>${sorted[0]}`;
        case "LessThan":
          return `${key}<${sorted[0]}`;
      }
    })
    .join(",");
}

const tokenPattern = /\s*(?:(!=|==|=|!|>|<|\(|\)|,)|([^\s=!<>(),]+))/y;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  const end = text.trimEnd().length;
  while (tokenPattern.lastIndex < end) {
    const match = tokenPattern.exec(text);
    if (match === null) throw new Error(`unable to parse requirement: found '${text.slice(0, end)}'`);
    tokens.push((match[1] ?? match[2]) as string);
  }
  return tokens;
}

const punctuation = new Set(["!=", "==", "=", "!", ">", "<", "(", ")", ","]);

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #fail(expected: string): never {
    throw new Error(`unable to parse requirement: found '${this.#peek() ?? ""}', expected: ${expected}`);
  }

  #identifier(): string {
    const token = this.#peek();
    if (token === undefined || punctuation.has(token)) this.#fail("identifier");
    this.#at++;
    return token as string;
  }

  #key(): string {
    const key = this.#identifier();
    const errors = checkQualifiedName(key);
    if (errors.length > 0)
      throw new Error(
        `unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${errors.join("; ")}`,
      );
    return key;
  }

  #value(key: string): string {
    const token = this.#peek();
    if (token === undefined || token === ",") return "";
    const value = this.#identifier();
    const errors = checkLabelValue(value);
    if (errors.length > 0) {
      throw new Error(
        `unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${errors.join("; ")}`,
      );
    }
    return value;
  }

  #set(key: string): string[] {
    if (this.#peek() !== "(") this.#fail("'('");
    this.#at++;
    const values: string[] = [];
    for (;;) {
      const token = this.#peek();
      if (token === ")") {
        values.push("");
        break;
      }
      if (token === ",") {
        values.push("");
        this.#at++;
        continue;
      }
      values.push(this.#value(key));
      if (this.#peek() === ")") break;
      if (this.#peek() !== ",") this.#fail("',' or ')'");
      this.#at++;
    }
    this.#at++;
    return [...new Set(values)].sort();
  }

  #requirement(): Requirement {
    if (this.#peek() === "!") {
      this.#at++;
      return { key: this.#key(), operator: "DoesNotExist", values: [] };
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ",") return { key, operator: "Exists", values: [] };
    this.#at++;
    switch (operator) {
      case "=":
      case "==":
        return { key, operator: "In", values: [this.#value(key)] };
      case "!=":
        return { key, operator: "NotIn", values: [this.#value(key)] };
      case "in":
        return { key, operator: "In", values: this.#set(key) };
      case "notin":
        return { key, operator: "NotIn", values: this.#set(key) };
      case ">":
      case "<": {
        const value = this.#value(key);
        if (!/^-?\d+$/.test(value))
          throw new Error(
            `unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
          );
        return { key, operator: operator === ">" ? "GreaterThan" : "LessThan", values: [value] };
      }
      default:
        this.#at--;
        return this.#fail("in, notin, =, ==, !=, gt, lt");
    }
  }

  /** Between requirements the documented messages are bare. */
  #unexpected(expected: string): never {
    throw new Error(`found '${this.#peek() ?? ""}', expected: ${expected}`);
  }

  #startsRequirement(): boolean {
    const token = this.#peek();
    return token !== undefined && (token === "!" || !punctuation.has(token));
  }

  parse(): Selector {
    const requirements: Requirement[] = [];
    while (this.#peek() !== undefined) {
      if (!this.#startsRequirement()) this.#unexpected("!, identifier, or 'end of string'");
      requirements.push(this.#requirement());
      if (this.#peek() === undefined) break;
      if (this.#peek() !== ",") this.#unexpected("',' or 'end of string'");
      this.#at++;
      if (!this.#startsRequirement()) this.#unexpected("identifier after ','");
    }
    return requirements;
  }
}

/** Parses `a=b,c in (d,e),!f`. Throws an Error whose message says what was found. */
export function parseSelector(text: string): Selector {
  return new Parser(text).parse();
}
