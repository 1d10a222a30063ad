// The checker: gives every node its type, every name what it stands for, every call the functions that it may mean.
// All that is wrong is collected, as the compile errors of the language say it.
import { Bindings, closed, unwrapOptional } from "./assignable.ts";
import type { CallExpr, Expr, Issue, ListExpr, MacroExpr, MapExpr, SelectExpr, StructExpr } from "./ast.ts";
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  errorType,
  intType,
  isOptional,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  stringType,
  typeName,
  typeOf,
  uintType,
  type CelType,
} from "./cel-type.ts";
import { checkLiteralArguments } from "./literal-arguments.ts";
import type { FunctionTable, Overload } from "./signature.ts";
import { typeIdents } from "./type-idents.ts";
import { UintValue, type Value } from "./value.ts";

export interface Declarations {
  /** By name; a name may have dots: `authorizer.requestResource`. */
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: FunctionTable;
  /** `cel.bind` gives names to parts of an expression. */
  readonly bind?: boolean;
  /** Types of which expressions may make objects. */
  readonly structs?: Structs;
}

/** A type by its name; undefined where there is none. */
export type Structs = (name: string) => StructDeclaration | undefined;

export interface StructDeclaration {
  readonly type: CelType;
  /** Undefined where there is no such field. */
  field(name: string): CelType | undefined;
}

export interface Checked {
  readonly type: CelType;
  readonly issues: readonly Issue[];
  /** The variables that the expression names. */
  readonly uses: ReadonlySet<string>;
}

export function checkExpression(expr: Expr, declarations: Declarations): Checked {
  const checker = new Checker(declarations);
  const type = checker.check(expr);
  if (checker.issues.length === 0) settle(expr, checker.bindings);
  return { type: closed(checker.bindings.resolve(type)), issues: checker.issues, uses: checker.uses };
}

class Checker {
  readonly issues: Issue[] = [];
  readonly uses = new Set<string>();
  readonly bindings = new Bindings();
  private readonly declarations: Declarations;
  private readonly locals: Map<string, CelType>[] = [];
  /** Lists and maps of mixed types are allowed where a call takes them apart again. */
  private mixedAllowed = false;

  constructor(declarations: Declarations) {
    this.declarations = declarations;
  }

  check(expr: Expr): CelType {
    const type = this.infer(expr);
    expr.type = type;
    return type;
  }

  private complain(pos: number, message: string): CelType {
    this.issues.push({ pos, message });
    return errorType;
  }

  private infer(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return literalType(expr.value);
      case "ident":
        return (
          this.named(expr.name) ??
          this.complain(expr.pos, `undeclared reference to '${expr.name}' (in container '')`)
        );
      case "select":
        return this.select(expr);
      case "call":
        return this.call(expr);
      case "list":
        return this.list(expr);
      case "map":
        return this.map(expr);
      case "struct":
        return this.struct(expr);
      case "macro":
        return this.macro(expr);
    }
  }

  private named(name: string): CelType | undefined {
    for (let at = this.locals.length - 1; at >= 0; at--) {
      const local = this.locals[at]?.get(name);
      if (local !== undefined) return local;
    }
    const variable = this.declarations.variables.get(name);
    if (variable !== undefined) {
      this.uses.add(name);
      return variable;
    }
    const type = typeIdents.get(name)?.type;
    return type === undefined ? undefined : typeOf(type);
  }

  /** `a.b.c` of plain names, unless the first is a variable of a macro. */
  private qualifiedName(expr: Expr): string | undefined {
    if (expr.kind === "ident")
      return this.locals.some((scope) => scope.has(expr.name)) ? undefined : expr.name;
    if (expr.kind !== "select" || expr.test || expr.optional) return undefined;
    const operand = this.qualifiedName(expr.operand);
    return operand === undefined ? undefined : `${operand}.${expr.field}`;
  }

  private select(expr: SelectExpr): CelType {
    const name = this.qualifiedName(expr);
    const known = name === undefined ? undefined : this.named(name);
    if (name !== undefined && known !== undefined) {
      expr.resolved = name;
      return known;
    }
    const operand = this.bindings.resolve(this.check(expr.operand));
    const optional = expr.optional || isOptional(operand);
    const found = this.fieldOf(unwrapOptional(operand), expr);
    if (expr.test) return boolType;
    return optional && found.kind !== "error" ? optionalOf(found) : found;
  }

  private fieldOf(operand: CelType, { pos, field }: SelectExpr): CelType {
    switch (operand.kind) {
      case "map":
        return operand.value;
      case "object":
        return operand.fields.get(field)?.type ?? this.complain(pos, `undefined field '${field}'`);
      case "dyn":
      case "param":
        return dynType;
      case "error":
        return errorType;
      default:
        return this.complain(pos, `type '${typeName(operand)}' does not support field selection`);
    }
  }

  private call(expr: CallExpr): CelType {
    const { functions } = this.declarations;
    if (expr.target !== undefined) {
      const prefix = this.qualifiedName(expr.target);
      const name = prefix === undefined ? undefined : `${prefix}.${expr.name}`;
      if (name !== undefined && functions.has(name)) {
        expr.qualified = name;
        expr.target = undefined;
      }
    }
    const name = expr.qualified ?? expr.name;
    const operands = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    const mixed = this.mixedAllowed;
    this.mixedAllowed = name === "format";
    const types = operands.map((operand) => this.check(operand));
    this.mixedAllowed = mixed;
    const candidates = functions.get(name);
    if (candidates === undefined)
      return this.complain(expr.pos, `undeclared reference to '${name}' (in container '')`);
    const result = this.resolveCall(expr, name, candidates, types);
    if (result.kind !== "error") this.issues.push(...checkLiteralArguments(name, operands));
    return result;
  }

  private resolveCall(
    expr: CallExpr,
    name: string,
    candidates: readonly Overload[],
    types: readonly CelType[],
  ): CelType {
    const member = expr.target !== undefined;
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const one of candidates) {
      if (one.member !== member || one.params.length !== types.length) continue;
      const [returns = dynType, ...params] = this.bindings.instantiate([one.result, ...one.params]);
      if (!this.bindings.fitAll(types, params)) continue;
      fitting.push(one);
      const type = this.bindings.resolve(returns);
      if (result === undefined) result = type;
      else if (typeName(result) !== typeName(type)) result = dynType;
    }
    if (result === undefined) {
      if (types.some(({ kind }) => kind === "error")) return errorType;
      const shown = types.map((type) => typeName(this.bindings.resolve(type)));
      const applied = member ? `${shown[0] ?? ""}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
      return this.complain(expr.pos, `found no matching overload for '${name}' applied to '${applied}'`);
    }
    expr.overloads = fitting;
    return this.boundedResult(name, types, result);
  }

  /** Results that are one of the arguments keep what is known of its length. */
  private boundedResult(name: string, types: readonly CelType[], result: CelType): CelType {
    if (name !== "_?_:_") return result;
    const [a, b] = [types[1] ?? dynType, types[2] ?? dynType];
    if (a.max === undefined || b.max === undefined) return withoutMax(result);
    return { ...result, max: Math.max(a.max, b.max) };
  }

  /** The type of several in one literal; what does not fit the first is complained about. */
  private join(known: CelType | undefined, expr: Expr, type: CelType): CelType {
    if (known === undefined) return type;
    if (this.bindings.fitAll([type], [known])) return known.kind === "null" ? type : known;
    if (!this.mixedAllowed)
      this.complain(
        expr.pos,
        `expected type '${typeName(this.bindings.resolve(known))}' but found '${typeName(this.bindings.resolve(type))}'`,
      );
    return dynType;
  }

  private elementType(value: Expr, optional: boolean): CelType {
    const type = this.bindings.resolve(this.check(value));
    if (!optional) return type;
    if (isOptional(type)) return unwrapOptional(type);
    if (type.kind !== "dyn" && type.kind !== "error")
      this.complain(
        value.pos,
        `expected type 'optional_type(${typeName(type)})' but found '${typeName(type)}'`,
      );
    return type;
  }

  private list(expr: ListExpr): CelType {
    let element: CelType | undefined;
    for (const { value, optional } of expr.elements) {
      element = this.join(element, value, this.elementType(value, optional));
    }
    return listOf(withoutMax(element ?? this.bindings.fresh()));
  }

  private map(expr: MapExpr): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expr.entries) {
      key = this.join(key, entry.key, this.check(entry.key));
      value = this.join(value, entry.value, this.elementType(entry.value, entry.optional));
    }
    return mapOf(withoutMax(key ?? this.bindings.fresh()), withoutMax(value ?? this.bindings.fresh()));
  }

  private struct({ pos, name, fields }: StructExpr): CelType {
    const declared = this.declarations.structs?.(name);
    if (declared === undefined)
      return this.complain(pos, `undeclared reference to '${name}' (in container '')`);
    for (const { pos: at, name: fieldName, optional, value } of fields) {
      const type = this.bindings.resolve(this.elementType(value, optional));
      const wanted = declared.field(fieldName);
      if (wanted === undefined) this.complain(at, `undefined field '${fieldName}'`);
      else if (!this.bindings.fitAll([type], [wanted]))
        this.complain(
          at,
          `expected type of field '${fieldName}' is '${typeName(wanted)}' but provided type is '${typeName(type)}'`,
        );
    }
    return declared.type;
  }

  private macro(expr: MacroExpr): CelType {
    const range = this.bindings.resolve(this.check(expr.range));
    if (expr.macro === "bind") return this.bind(expr, range);
    if (expr.macro === "optMap" || expr.macro === "optFlatMap") return this.optionalMacro(expr, range);
    const types = this.variableTypes(expr, range);
    const scope = new Map(expr.vars.map((name, i) => [name, types[i] ?? dynType]));
    this.locals.push(scope);
    if (expr.filter !== undefined) this.expectBool(expr.filter, "_?_:_");
    const predicate = ["all", "exists", "existsOne", "filter"].includes(expr.macro);
    const body = predicate ? this.expectBool(expr.body, "_&&_") : this.check(expr.body);
    this.locals.pop();
    return this.macroResult(expr, range, types, body);
  }

  private macroResult(expr: MacroExpr, range: CelType, types: readonly CelType[], body: CelType): CelType {
    const max = range.max;
    switch (expr.macro) {
      case "filter":
        return listOf(types[0] ?? dynType, max);
      case "map":
      case "transformList":
        return listOf(body, max);
      case "transformMap":
        return mapOf(types[0] ?? dynType, body, max);
      case "transformMapEntry": {
        const entry = this.bindings.resolve(body);
        if (entry.kind === "map") return mapOf(entry.key, entry.value, max);
        if (entry.kind === "dyn" || entry.kind === "error") return mapOf(dynType, dynType, max);
        return this.complain(expr.body.pos, `expected type 'map' but found '${typeName(entry)}'`);
      }
      default:
        return boolType;
    }
  }

  private bind({ pos, vars, body }: MacroExpr, value: CelType): CelType {
    if (this.declarations.bind !== true)
      return this.complain(pos, "undeclared reference to 'cel' (in container '')");
    this.locals.push(new Map([[vars[0] ?? "", value]]));
    const type = this.check(body);
    this.locals.pop();
    return type;
  }

  private optionalMacro(expr: MacroExpr, range: CelType): CelType {
    if (!isOptional(range) && range.kind !== "dyn" && range.kind !== "error")
      return this.complain(
        expr.pos,
        `found no matching overload for '${expr.macro}' applied to '${typeName(range)}.()'`,
      );
    this.locals.push(new Map([[expr.vars[0] ?? "", unwrapOptional(range)]]));
    const body = this.bindings.resolve(this.check(expr.body));
    this.locals.pop();
    if (expr.macro === "optMap") return optionalOf(body);
    if (isOptional(body) || body.kind === "dyn" || body.kind === "error") return body;
    return this.complain(
      expr.body.pos,
      `expected type 'optional_type(${typeName(body)})' but found '${typeName(body)}'`,
    );
  }

  /** What the variables of a macro hold: elements, or keys and values. */
  private variableTypes({ range: { pos }, vars }: MacroExpr, range: CelType): readonly CelType[] {
    switch (range.kind) {
      case "list":
        return vars.length === 2 ? [intType, range.element] : [range.element];
      case "map":
        return [range.key, range.value];
      case "dyn":
      case "error":
      case "param":
        return [dynType, dynType];
      default:
        return [
          this.complain(
            pos,
            `expression of type '${typeName(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
          ),
          errorType,
        ];
    }
  }

  private expectBool(expr: Expr, operator: string): CelType {
    const type = this.bindings.resolve(this.check(expr));
    if (!this.bindings.fitAll([type], [boolType]))
      this.complain(
        expr.pos,
        `found no matching overload for '${operator}' applied to '(bool, ${typeName(type)})'`,
      );
    return boolType;
  }
}

function withoutMax(type: CelType): CelType {
  if (type.max === undefined) return type;
  const { max: _max, ...rest } = type;
  return rest as CelType;
}

function literalType(value: Value): CelType {
  switch (typeof value) {
    case "boolean":
      return boolType;
    case "bigint":
      return intType;
    case "number":
      return doubleType;
    case "string":
      return stringType;
    default:
      return value === null ? nullType : value instanceof UintValue ? uintType : bytesType;
  }
}

/** Types that were found late reach the nodes that were seen early. */
function settle(expr: Expr, bindings: Bindings): void {
  if (expr.type !== undefined) expr.type = closed(bindings.resolve(expr.type));
  switch (expr.kind) {
    case "select":
      if (expr.resolved === undefined) settle(expr.operand, bindings);
      return;
    case "call":
      if (expr.target !== undefined) settle(expr.target, bindings);
      for (const one of expr.args) settle(one, bindings);
      return;
    case "list":
      for (const { value } of expr.elements) settle(value, bindings);
      return;
    case "map":
      for (const { key, value } of expr.entries) {
        settle(key, bindings);
        settle(value, bindings);
      }
      return;
    case "struct":
      for (const { value } of expr.fields) settle(value, bindings);
      return;
    case "macro":
      settle(expr.range, bindings);
      if (expr.filter !== undefined) settle(expr.filter, bindings);
      settle(expr.body, bindings);
      return;
    default:
  }
}
