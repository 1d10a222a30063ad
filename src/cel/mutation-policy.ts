// The expressions of a policy that changes objects (MutatingAdmissionPolicy): each mutation makes a part of an object
// to lay over the one that is there (`Object{…}`), or a JSON patch (`[JSONPatch{…}]`). Pure: nothing is changed here.
import { child, index, type FieldError } from "#machinery/field-error.ts";
import type { AdmissionFacts } from "./admission-variables.ts";
import { dynType, field, objectType, stringType } from "./cel-type.ts";
import type { Structs } from "./check.ts";
import { toData } from "./data.ts";
import type { Expression } from "./expression.ts";
import {
  compileFrame,
  errorText,
  type Matching,
  type PolicyCompiler,
  type PolicyFrame,
  type PolicyFrameSpec,
} from "./policy-run.ts";

export interface MutationSpec extends PolicyFrameSpec {
  readonly mutations?: readonly MutationEntry[];
}
interface MutationEntry {
  readonly patchType?: string;
  readonly applyConfiguration?: { readonly expression?: string };
  readonly jsonPatch?: { readonly expression?: string };
}

/** What one mutation wants; an expression that has no answer is an error. */
export type Change =
  | { readonly kind: "apply" | "patch"; readonly value: unknown; readonly error?: undefined }
  | { readonly kind?: undefined; readonly error: string };

export interface CompiledMutations {
  /** Below `spec`. */
  readonly errors: readonly FieldError[];
  matches(facts: AdmissionFacts): Matching;
  /** One after the other: each is given the object as those before have left it. */
  readonly mutations: readonly ((facts: AdmissionFacts) => Change)[];
}

const patchType = objectType("JSONPatch", [
  field("op", stringType),
  field("path", stringType),
  field("from", stringType),
  field("value", dynType),
]);

/** `Object` and everything below it, whose fields may be anything; `JSONPatch`. */
const structs: Structs = (name) => {
  if (name === "JSONPatch") return { type: patchType, field: (one) => patchType.fields.get(one)?.type };
  if (name !== "Object" && !name.startsWith("Object.")) return undefined;
  return { type: objectType(name, []), field: () => dynType };
};

export function compileMutations(spec: MutationSpec, path = "spec"): CompiledMutations {
  const frame = compileFrame(spec, path, { structs });
  const { compiler, matches } = frame;
  const mutations = (spec.mutations ?? []).flatMap((one, i) => {
    const compiled = compileMutation(compiler, one, index(child(path, "mutations"), i));
    return compiled === undefined ? [] : [mutationOf(frame, compiled)];
  });
  return { errors: compiler.errors, matches, mutations };
}

interface CompiledMutation {
  readonly kind: "apply" | "patch";
  readonly text: string;
  readonly program: Expression;
}

function compileMutation(
  compiler: PolicyCompiler,
  { patchType: type = "", applyConfiguration, jsonPatch }: MutationEntry,
  path: string,
): CompiledMutation | undefined {
  // What there must be is the kind's own to say.
  if (type !== "ApplyConfiguration" && type !== "JSONPatch") return undefined;
  const [kind, name, given, wanted] =
    type === "JSONPatch"
      ? (["patch", "jsonPatch", jsonPatch, ["list(JSONPatch)", "list(dyn)"]] as const)
      : (["apply", "applyConfiguration", applyConfiguration, ["Object"]] as const);
  if (given === undefined) return undefined;
  const text = given.expression ?? "";
  const program = compiler.compile(text, child(child(path, name), "expression"), wanted);
  return program === undefined ? undefined : { kind, text, program };
}

function mutationOf(
  frame: PolicyFrame,
  { kind, text, program }: CompiledMutation,
): (facts: AdmissionFacts) => Change {
  return (facts) => {
    try {
      return { kind, value: toData(frame.run(facts).evaluate(program)) };
    } catch (thrown) {
      return { error: errorText(thrown, text) };
    }
  };
}
