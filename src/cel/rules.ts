// The rules of a custom resource's schema (`x-kubernetes-validations`): compiled once per schema, with what is wrong
// with them as the CustomResourceDefinition's validation says it; then run over objects. Pure.
// Load this file on demand (a dynamic import) where `hasRules` of rule-schema.ts says that there are any: a server
// without rules does not hold the language.
import { child, forbidden, index, invalid, keyed, type FieldError } from "#machinery/field-error.ts";
import { optionalOf, type CelType } from "./cel-type.ts";
import { compileExpression, type Expression, type Variables } from "./expression.ts";
import { checkFieldPath } from "./field-path.ts";
import { checkRuleTexts, costMessage, shownRule } from "./rule-errors.ts";
import { hasRules, itemsOf, type RuleSchema, type ValidationRule } from "./rule-schema.ts";
import type { CompiledRule, RuleNode } from "./rule-tree.ts";
import { RuleRun } from "./run-rules.ts";
import { requestBytesMax, typeSchema, type TypedSchema } from "./schema-type.ts";

/** What all rules of one object may cost at run time. */
export const runtimeCostBudget = 10_000_000;
/** What one rule may cost at most, over all the places in an object where it is run. */
const ruleCostMax = 10_000_000;
/** What all rules of a schema may cost together. */
const schemaCostMax = 100_000_000;
/** So many of the dearest rules are named when they cost too much together. */
const dearestShown = 4;

export interface CompiledRules {
  /** What is wrong with the rules, for the validation of the CustomResourceDefinition; below the path given. */
  readonly errors: readonly FieldError[];
  /** There are no rules: `validate` finds nothing. */
  readonly empty: boolean;
  /**
   * Runs the rules over a whole object (after defaulting and pruning). `old` is the stored object of an update,
   * which transition rules see as `oldSelf`; rules that an unchanged part already broke are not held against it.
   */
  validate(object: object, old: object | undefined, budget?: number): RulesResult;
}

export interface RulesResult {
  /** Field paths are those of the object: `spec.replicas`. */
  readonly errors: readonly FieldError[];
  /** What is left of the budget; negative when it ran out. */
  readonly remaining: number;
}

/** `path` is the schema's place in the definition: `spec.versions[0].schema.openAPIV3Schema`. */
export function compileRules(schema: RuleSchema, path: string): CompiledRules {
  const compiler = new Compiler(schema);
  const root = compiler.visit(schema, { path, count: 1, uncorrelatable: undefined });
  compiler.checkTotal(path);
  return {
    errors: compiler.errors,
    empty: root === undefined,
    validate: (object, old, budget = runtimeCostBudget) => {
      const run = new RuleRun(budget);
      if (root !== undefined) run.visit(root, { value: object, old, parent: undefined }, "");
      return { errors: run.errors, remaining: run.remaining };
    },
  };
}

/** Where in a schema. */
interface Place {
  readonly path: string;
  /** How many values there can be in one object; undefined where no limit says. */
  readonly count: number | undefined;
  /** The path of a list around whose items cannot be told from their old selves. */
  readonly uncorrelatable: string | undefined;
}

class Compiler {
  readonly errors: FieldError[] = [];
  private readonly typed: ReadonlyMap<RuleSchema, TypedSchema>;
  private readonly costs: { readonly path: string; readonly cost: number }[] = [];

  constructor(schema: RuleSchema) {
    this.typed = typeSchema(schema, "selfType");
  }

  /** Undefined where no rule is here or below. */
  visit(schema: RuleSchema, place: Place): RuleNode | undefined {
    if (!hasRules(schema)) return undefined;
    const { path } = place;
    const properties = new Map<string, RuleNode>();
    for (const [name, next] of Object.entries(schema.properties ?? {})) {
      const node = this.visit(next, { ...place, path: keyed(child(path, "properties"), name) });
      if (node !== undefined) properties.set(name, node);
    }
    const { additionalProperties } = schema;
    const additional =
      typeof additionalProperties === "object"
        ? this.visit(additionalProperties, {
            ...place,
            path: child(path, "additionalProperties"),
            count: times(place.count, schema.maxProperties),
          })
        : undefined;
    const items = this.visitItems(schema, place);
    const typed = this.typed.get(schema);
    if (typed === undefined) return undefined;
    const rules = this.compileRules(schema, typed, place);
    const listKeys =
      schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
    return {
      type: typed.type,
      schemaType: schema.type ?? "",
      rules,
      properties,
      additional,
      items,
      itemKeys: listKeys,
    };
  }

  private visitItems(schema: RuleSchema, place: Place): RuleNode | undefined {
    const [items] = itemsOf(schema);
    if (items === undefined) return undefined;
    const path = child(place.path, "items");
    const isMap = schema["x-kubernetes-list-type"] === "map";
    const uncorrelatable = place.uncorrelatable ?? (isMap ? undefined : path);
    return this.visit(items, { path, count: times(place.count, schema.maxItems), uncorrelatable });
  }

  private compileRules(schema: RuleSchema, typed: TypedSchema, place: Place): CompiledRule[] {
    const rules = schema["x-kubernetes-validations"] ?? [];
    const at = child(place.path, "x-kubernetes-validations");
    const texts = rules.flatMap((rule, i) => checkRuleTexts(rule, schema, index(at, i)));
    if (texts.length > 0) {
      this.errors.push(...texts);
      return [];
    }
    // Where no limit says how many there can be: as many as fit into a request.
    const count = place.count ?? Math.floor(requestBytesMax / (typed.minBytes + 1));
    return rules.flatMap(
      (rule, i) => this.compileRule(rule, schema, typed.type, { ...place, path: index(at, i), count }) ?? [],
    );
  }

  private compileRule(
    rule: ValidationRule,
    schema: RuleSchema,
    type: CelType,
    place: Place,
  ): CompiledRule | undefined {
    const old = rule.optionalOldSelf === true ? optionalOf(type) : type;
    const variables: Variables = new Map([
      ["self", type],
      ["oldSelf", old],
    ]);
    const at = child(place.path, "rule");
    const { expression, error } = compileExpression(rule.rule, variables);
    if (expression === undefined) {
      this.errors.push(invalid(at, shownRule(rule), `compilation failed: ${error}`));
      return undefined;
    }
    if (expression.type.kind !== "bool") {
      this.errors.push(invalid(at, shownRule(rule), "cel expression must evaluate to a bool"));
      return undefined;
    }
    this.observe(at, expression.maxCost * (place.count ?? 1), "estimated rule cost");
    const message = this.compileMessage(rule, variables, place);
    const transition = expression.uses.has("oldSelf") || message?.uses.has("oldSelf") === true;
    this.checkTransition(rule, transition, place);
    const { path: fieldPath = "" } = checkFieldPath(rule.fieldPath ?? "", schema);
    return { rule, expression, message, transition, fieldPath };
  }

  private compileMessage(
    rule: ValidationRule,
    variables: Variables,
    { path }: Place,
  ): Expression | undefined {
    if (rule.messageExpression === undefined || rule.messageExpression === "") return undefined;
    const at = child(path, "messageExpression");
    const { expression, error } = compileExpression(rule.messageExpression, variables);
    if (expression === undefined) {
      this.errors.push(invalid(at, shownRule(rule), `messageExpression compilation failed: ${error}`));
      return undefined;
    }
    if (expression.type.kind !== "string") {
      this.errors.push(invalid(at, shownRule(rule), "messageExpression must evaluate to a string"));
      return undefined;
    }
    this.observe(at, expression.maxCost, "estimated messageExpression cost");
    return expression;
  }

  private checkTransition(rule: ValidationRule, transition: boolean, { path, uncorrelatable }: Place): void {
    if (transition && uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
      this.errors.push(invalid(child(path, "rule"), rule.rule, detail));
    }
    if (!transition && rule.optionalOldSelf !== undefined) {
      const at = child(path, "optionalOldSelf");
      this.errors.push(invalid(at, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"));
    }
  }

  private observe(path: string, cost: number, what: string): void {
    if (cost > ruleCostMax) this.errors.push(forbidden(path, costMessage(what, cost, ruleCostMax)));
    this.costs.push({ path, cost });
  }

  checkTotal(path: string): void {
    const total = this.costs.reduce((sum, { cost }) => sum + cost, 0);
    if (total <= schemaCostMax) return;
    const what = "rule & messageExpression cost total";
    const dearest = [...this.costs].sort((a, b) => b.cost - a.cost).slice(0, dearestShown);
    for (const one of dearest)
      this.errors.push(
        forbidden(
          one.path,
          `contributed to estimated ${what} exceeding cost limit for entire OpenAPIv3 schema`,
        ),
      );
    const whole = `x-kubernetes-validations estimated ${what} for entire OpenAPIv3 schema`;
    this.errors.push(forbidden(path, costMessage(whole, total, schemaCostMax)));
  }
}

const times = (count: number | undefined, max: number | undefined): number | undefined =>
  count === undefined || max === undefined ? undefined : count * Math.max(0, max);
