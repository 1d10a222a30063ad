// Runs compiled rules over an object: what fails, where, and what it did cost.
import { isDeepStrictEqual } from "node:util";
import { child, index, keyed, omittedValue, type FieldError } from "#machinery/field-error.ts";
import { toError } from "#base/assert.ts";
import { fromData } from "./data.ts";
import { perCallLimit } from "./expression.ts";
import type { CompiledRule, RuleNode } from "./rule-tree.ts";
import { CostExceeded, EvaluationError, OptionalValue, type Value } from "./value.ts";

/** Bytes of a message that an expression makes. */
const messageBytesMax = 5 * 1024;

/** How an error that is about no field in particular is told. */
const wholeObject = "<nil>";

/** A value with its old self, and the way up. */
interface Pair {
  readonly value: unknown;
  /** Undefined: there is none, or none can be found. */
  readonly old: unknown;
  readonly parent: Pair | undefined;
}

type Data = Readonly<Record<string, unknown>>;
const own = (data: unknown, key: string): unknown =>
  typeof data === "object" && data !== null && Object.hasOwn(data, key) ? (data as Data)[key] : undefined;

export class RuleRun {
  readonly errors: FieldError[] = [];
  remaining: number;

  constructor(budget: number) {
    this.remaining = budget;
  }

  private report(error: FieldError): void {
    this.errors.push(error.field === "" ? { ...error, field: wholeObject } : error);
  }

  /** False: the budget is spent, nothing more is run. */
  visit(node: RuleNode, pair: Pair, path: string): boolean {
    if (pair.value === null || pair.value === undefined) return true;
    for (const rule of node.rules) if (!this.run(rule, node, pair, path)) return false;
    if (Array.isArray(pair.value)) return this.visitItems(node, pair, path);
    if (typeof pair.value !== "object") return true;
    for (const [name, next] of node.properties) {
      const value = own(pair.value, name);
      if (value === undefined) continue;
      if (!this.visit(next, { value, old: own(pair.old, name), parent: pair }, child(path, name)))
        return false;
    }
    if (node.additional === undefined) return true;
    for (const [name, value] of Object.entries(pair.value)) {
      if (!this.visit(node.additional, { value, old: own(pair.old, name), parent: pair }, keyed(path, name)))
        return false;
    }
    return true;
  }

  private visitItems(node: RuleNode, pair: Pair, path: string): boolean {
    const { items } = node;
    if (items === undefined) return true;
    const oldOf = oldItems(node, pair.old);
    return (pair.value as unknown[]).every((value, i) =>
      this.visit(items, { value, old: oldOf(value), parent: pair }, index(path, i)),
    );
  }

  private run(compiled: CompiledRule, node: RuleNode, pair: Pair, path: string): boolean {
    const { rule, expression, transition } = compiled;
    const optional = rule.optionalOldSelf === true;
    if (transition && !optional && pair.old === undefined) return true;
    const binding = bindingOf(node, pair, optional);
    const shown = ruleText(rule);
    let cost = 0;
    let failure: unknown;
    let passed = false;
    try {
      passed = expression.evaluate(binding, perCallLimit, (spent) => (cost = spent)) === true;
    } catch (thrown) {
      failure = thrown;
    }
    if (cost > this.remaining) {
      return this.stop(
        path,
        node.schemaType,
        "validation failed due to running out of cost budget, no further validation rules will be run",
      );
    }
    this.remaining -= cost;
    if (failure !== undefined) return this.failed(failure, shown, node, { compiled, pair, path });
    if (passed || (!transition && unchanged(pair))) return true;
    const message = this.message(compiled, binding, node.schemaType, path);
    if (message === undefined) return false;
    this.report(errorFor(compiled, pair.value, path, message));
    return true;
  }

  private stop(path: string, value: string, detail: string): false {
    this.report({ type: "FieldValueInvalid", field: path, value, detail });
    this.remaining = -1;
    return false;
  }

  /** An expression that ended without an answer. */
  private failed(
    failure: unknown,
    shown: string,
    { schemaType }: RuleNode,
    { compiled, pair, path }: { compiled: CompiledRule; pair: Pair; path: string },
  ): boolean {
    const { message } = toError(failure);
    if (failure instanceof CostExceeded) {
      return this.stop(
        path,
        schemaType,
        `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`,
      );
    }
    if (!(failure instanceof EvaluationError)) throw failure;
    if (!compiled.transition && unchanged(pair)) return true;
    const detail = message.startsWith("no such overload")
      ? `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown}`
      : `${message} evaluating rule: ${shown}`;
    this.report({ type: "FieldValueInvalid", field: path, value: schemaType, detail });
    return true;
  }

  /** Undefined: making it has spent the budget. */
  private message(
    { rule, message }: CompiledRule,
    binding: (name: string) => Value | undefined,
    value: string,
    path: string,
  ): string | undefined {
    const fallback =
      rule.message === undefined || rule.message === ""
        ? `failed rule: ${ruleText(rule)}`
        : rule.message.trim();
    if (message === undefined) return fallback;
    let cost = 0;
    try {
      const made = message.evaluate(binding, perCallLimit, (spent) => (cost = spent));
      const text = typeof made === "string" ? made.trim() : "";
      const usable = text !== "" && !/[\n\r]/.test(text) && Buffer.byteLength(text) <= messageBytesMax;
      return this.afford(cost, value, path) ? (usable ? text : fallback) : undefined;
    } catch (thrown) {
      if (thrown instanceof CostExceeded) {
        const text = JSON.stringify(rule.messageExpression);
        this.stop(
          path,
          value,
          `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${text}`,
        );
        return undefined;
      }
      if (!(thrown instanceof EvaluationError)) throw thrown;
      return this.afford(cost, value, path) ? fallback : undefined;
    }
  }

  private afford(cost: number, value: string, path: string): boolean {
    if (cost > this.remaining)
      return this.stop(
        path,
        value,
        "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run",
      );
    this.remaining -= cost;
    return true;
  }
}

/** What is shown of a rule: its message, or else the rule itself. */
const ruleText = ({ rule, message }: CompiledRule["rule"]): string =>
  message === undefined || message === "" ? rule.trim() : message.trim();

function bindingOf(
  node: RuleNode,
  { value, old }: Pair,
  optional: boolean,
): (name: string) => Value | undefined {
  return (name) => {
    if (name === "self") return fromData(value, node.type);
    if (name !== "oldSelf") return undefined;
    if (!optional) return fromData(old, node.type);
    return old === undefined || old === null
      ? OptionalValue.none
      : OptionalValue.of(fromData(old, node.type));
  };
}

/** Whether the value, or something that it is part of, is what was there before: old faults are not held against it. */
function unchanged(pair: Pair): boolean {
  for (let at: Pair | undefined = pair; at !== undefined; at = at.parent)
    if (at.old !== undefined && isDeepStrictEqual(at.value, at.old)) return true;
  return false;
}

/** Items of a list of type `map` have old selves, by their keys; others have none. */
function oldItems({ itemKeys }: RuleNode, old: unknown): (item: unknown) => unknown {
  if (itemKeys === undefined || !Array.isArray(old)) return () => undefined;
  const key = (item: unknown): string => JSON.stringify(itemKeys.map((name) => own(item, name) ?? null));
  const known = new Map(old.map((item: unknown) => [key(item), item]));
  return (item) => known.get(key(item));
}

/** Objects and lists are not shown: the field and the message say enough. */
function errorFor(
  { rule, fieldPath }: CompiledRule,
  given: unknown,
  path: string,
  detail: string,
): FieldError {
  const value = typeof given === "object" ? omittedValue : given;
  const field =
    fieldPath === "" ? path : fieldPath.startsWith("[") ? `${path}${fieldPath}` : child(path, fieldPath);
  switch (rule.reason) {
    case "FieldValueRequired":
    case "FieldValueForbidden":
      return { type: rule.reason, field, detail };
    case "FieldValueDuplicate":
      return { type: rule.reason, field, value, detail };
    default:
      return { type: "FieldValueInvalid", field, value, detail };
  }
}
