// Runs a go-template over a value. Pure.

import { isObject } from "#machinery/json-object.ts";
import { goTypeName } from "#machinery/jsonpath/go-text.ts";
import { functions, isTrue, printed } from "./functions.ts";
import {
  parseTemplate,
  type Node,
  type Operand,
  type Pipe,
  type Place,
  type Step,
  type Template,
} from "./parse.ts";
import { TemplateError } from "./tokens.ts";

export { TemplateError } from "./tokens.ts";

class Leave extends Error {
  readonly how: "break" | "continue";
  constructor(how: "break" | "continue") {
    super(how);
    this.how = how;
  }
}

interface Variable {
  readonly name: string;
  value: unknown;
}

const stepsMax = 1_000_000;
const depthMax = 1000;

class Execution {
  private out: string[] = [];
  private variables: Variable[] = [];
  private steps = 0;
  private depth = 0;
  /** Of the template that runs now. */
  private name = "output";
  private readonly template: Template;
  private readonly allowMissing: boolean;

  constructor(template: Template, allowMissing: boolean) {
    this.template = template;
    this.allowMissing = allowMissing;
  }

  run(data: unknown): string {
    this.variables = [{ name: "$", value: data }];
    this.nodes(this.template.main, data);
    return this.out.join("");
  }

  private nodes(nodes: readonly Node[], dot: unknown): void {
    const mark = this.variables.length;
    for (const node of nodes) this.node(node, dot);
    this.variables.length = mark;
  }

  private node(node: Node, dot: unknown): void {
    if (++this.steps > stepsMax) throw new TemplateError("the template does not end");
    switch (node.kind) {
      case "text":
        this.out.push(node.text);
        return;
      case "print": {
        const value = this.pipe(node.pipe, dot);
        if (node.pipe.declares.length === 0) this.out.push(printed(value));
        return;
      }
      case "break":
      case "continue":
        throw new Leave(node.kind);
      case "template":
        this.call(node, dot);
        return;
      case "if":
      case "with":
      case "range": {
        const mark = this.variables.length;
        if (node.kind === "range") this.range(node, dot);
        else {
          const value = this.pipe(node.pipe, dot);
          if (isTrue(value)) this.nodes(node.body, node.kind === "with" ? value : dot);
          else this.nodes(node.otherwise, dot);
        }
        this.variables.length = mark;
      }
    }
  }

  /** The failure, with where it came to it. */
  private failed(why: string, { at, text }: Place): TemplateError {
    const lines = this.template.text.slice(0, at).split("\n");
    const column = Buffer.byteLength(lines.at(-1) ?? "");
    const where = `template: output:${lines.length}:${column}: executing ${JSON.stringify(this.name)} at <${text}>`;
    return new TemplateError(`${where}: ${why}`);
  }

  private call({ name, pipe }: Extract<Node, { kind: "template" }>, dot: unknown): void {
    const body = this.template.named.get(name);
    if (body === undefined) throw new TemplateError(`template ${JSON.stringify(name)} not defined`);
    if (++this.depth > depthMax) throw new TemplateError(`exceeded maximum template depth (${depthMax})`);
    const value = pipe === undefined ? undefined : this.pipe(pipe, dot);
    const outer = { variables: this.variables, name: this.name };
    this.variables = [{ name: "$", value }];
    this.name = name;
    this.nodes(body, value);
    this.variables = outer.variables;
    this.name = outer.name;
    this.depth--;
  }

  private range(node: Extract<Node, { kind: "if" | "with" | "range" }>, dot: unknown): void {
    const value = this.pipe({ ...node.pipe, declares: [] }, dot);
    const entries = entriesOf(value);
    if (entries === undefined) {
      const { place } = node.pipe.steps.at(-1) as Step;
      throw this.failed(`range can't iterate over ${printed(value)}`, place);
    }
    if (entries.length === 0) return this.nodes(node.otherwise, dot);
    const { declares } = node.pipe;
    for (const [key, item] of entries) {
      const mark = this.variables.length;
      const [first, second] = declares;
      if (first !== undefined) this.set(first, second === undefined ? item : key, node.pipe.assigns);
      if (second !== undefined) this.set(second, item, node.pipe.assigns);
      try {
        this.nodes(node.body, item);
      } catch (thrown) {
        if (!(thrown instanceof Leave)) throw thrown;
        if (thrown.how === "break") {
          this.variables.length = mark;
          return;
        }
      }
      this.variables.length = mark;
    }
  }

  private set(name: string, value: unknown, assigns: boolean): void {
    const known = assigns ? this.variables.findLast((variable) => variable.name === name) : undefined;
    if (known !== undefined) known.value = value;
    else if (assigns) throw new TemplateError(`undefined variable ${JSON.stringify(name)}`);
    else this.variables.push({ name, value });
  }

  private pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown;
    for (const [index, step] of pipe.steps.entries()) value = this.step(step, dot, index > 0 ? [value] : []);
    const [name] = pipe.declares;
    if (name !== undefined) this.set(name, value, pipe.assigns);
    return value;
  }

  /** A function with its arguments, the last of them from the step before; or a value. */
  private step({ operands, place }: Step, dot: unknown, given: readonly unknown[]): unknown {
    const [first, ...rest] = operands as [Operand, ...Operand[]];
    if (first.kind !== "function") {
      if (rest.length + given.length > 0)
        throw this.failed(`can't give argument to non-function ${place.text}`, place);
      return this.value(first, dot);
    }
    if (first.name === "and" || first.name === "or") return this.chain(first.name, rest, dot, given);
    const args = [...rest.map((operand) => this.value(operand, dot)), ...given];
    try {
      return functions.get(first.name)?.(args);
    } catch (thrown) {
      if (!(thrown instanceof TemplateError)) throw thrown;
      throw this.failed(`error calling ${first.name}: ${thrown.message}`, place);
    }
  }

  /** Ends at the first argument that decides. */
  private chain(
    name: "and" | "or",
    rest: readonly Operand[],
    dot: unknown,
    given: readonly unknown[],
  ): unknown {
    let value: unknown;
    for (const operand of rest) {
      value = this.value(operand, dot);
      if (isTrue(value) === (name === "or")) return value;
    }
    return given.length > 0 ? given[0] : value;
  }

  private value(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case "dot":
        return dot;
      case "constant":
        return operand.value;
      case "variable": {
        const found = this.variables.findLast(({ name }) => name === operand.name);
        if (found === undefined)
          throw new TemplateError(`undefined variable ${JSON.stringify(operand.name)}`);
        return found.value;
      }
      case "function":
        return this.step({ operands: [operand], place: { at: 0, text: operand.name } }, dot, []);
      case "pipe":
        return this.pipe(operand.pipe, dot);
      case "fields":
        return operand.names.reduce(
          (value, name) => this.field(value, name, operand.place),
          this.value(operand.of, dot),
        );
    }
  }

  private field(value: unknown, name: string, place: Place): unknown {
    if (value === null || value === undefined) {
      if (this.allowMissing) return undefined;
      throw this.failed(`nil data; no entry for key ${JSON.stringify(name)}`, place);
    }
    if (!isObject(value))
      throw this.failed(
        `can't evaluate field ${name} in type ${Array.isArray(value) ? goTypeName(value) : "interface {}"}`,
        place,
      );
    if (Object.hasOwn(value, name)) return value[name];
    if (this.allowMissing) return undefined;
    throw this.failed(`map has no entry for key ${JSON.stringify(name)}`, place);
  }
}

/** What a range goes over; undefined for what it cannot. */
function entriesOf(value: unknown): (readonly [unknown, unknown])[] | undefined {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return (value as unknown[]).map((item, index) => [index, item]);
  if (isObject(value))
    return Object.keys(value)
      .sort()
      .map((key) => [key, value[key]]);
  if (typeof value === "number" && Number.isInteger(value))
    return Array.from({ length: Math.min(Math.max(0, value), stepsMax) }, (_, index) => [index, index]);
  return undefined;
}

export interface GoTemplate {
  /** Throws TemplateError. */
  execute(value: unknown): string;
}

/** Throws TemplateError for what is no template. */
export function compileTemplate(text: string, { allowMissing = true } = {}): GoTemplate {
  const template = parseTemplate(text);
  return { execute: (value) => new Execution(template, allowMissing).run(value) };
}
