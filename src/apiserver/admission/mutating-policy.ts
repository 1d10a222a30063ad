// MutatingAdmissionPolicy: policies of expressions that change objects before they are validated. A policy that wants
// it is asked again when a later one has changed the object after it.
import type { Change, CompiledMutations, MutationSpec } from "#cel/mutation-policy.ts";
import { merge } from "#machinery/apply/merge.ts";
import { shapeOf } from "#machinery/apply/shape.ts";
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { applyJsonPatch } from "#machinery/patch/json-patch.ts";
import { forbiddenError } from "#machinery/status.ts";
import { toError } from "#base/assert.ts";
import { isDeepStrictEqual } from "node:util";
import type { Authorizer } from "../auth/contract.ts";
import { atomicPart } from "./atomic-part.ts";
import { admissionGroup, isExempt, PolicyRequest, type BoundPolicy } from "./bound-policies.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

type Policy = KubeObject & MutatingAdmissionPolicy;
type Binding = KubeObject & MutatingAdmissionPolicyBinding;
type Bound = BoundPolicy<Policy, Binding>;
type Compile = (policy: Policy) => Promise<CompiledMutations>;

export function mutatingAdmissionPolicy(reads: AdmissionReads, authorizer: Authorizer): AdmissionPlugin {
  const compiled = new WeakMap<object, CompiledMutations>();
  const compile: Compile = async (policy) => {
    const known = compiled.get(policy);
    if (known !== undefined) return known;
    const { compileMutations } = await import("#cel/mutation-policy.ts");
    const made = compileMutations((policy.spec ?? {}) as MutationSpec);
    compiled.set(policy, made);
    return made;
  };
  const judge = async (request: AdmissionRequest): Promise<void> => {
    const bindings = await reads.list<Binding>(admissionGroup, "mutatingadmissionpolicybindings", "");
    const seen = new PolicyRequest(request, reads, authorizer);
    const asked: Bound[] = [];
    /** How many of those asked came before the last change. */
    let changedAfter = 0;
    for await (const one of seen.bound<Policy, Binding>("mutatingadmissionpolicies", bindings)) {
      if (await change(seen, one, compile)) changedAfter = asked.length;
      asked.push(one);
    }
    for (const one of asked.slice(0, changedAfter))
      if (one.policy.spec?.reinvocationPolicy === "IfNeeded") await change(seen, one, compile);
  };
  return {
    name: "MutatingAdmissionPolicy",
    mutate: (request) =>
      !reads.has(admissionGroup, "mutatingadmissionpolicybindings") ||
      isExempt(request) ||
      request.object === undefined
        ? undefined
        : judge(request),
  };
}

/** Whether the object is another one now. */
async function change(seen: PolicyRequest, one: Bound, compile: Compile): Promise<boolean> {
  const { policy, binding, view, errorsRefuse, params, error } = one;
  const { request } = seen;
  const refuse = (why: string): void => {
    if (!errorsRefuse) return;
    const names = `'${policy.metadata?.name ?? ""}' with binding '${binding.metadata?.name ?? ""}'`;
    const message = `MutatingAdmissionPolicy ${names} denied request: ${why}`;
    throw forbiddenError(request.resource, request.name, message);
  };
  if (error !== undefined) {
    refuse(`failed to configure binding: ${error}`);
    return false;
  }
  const { matches, mutations } = await compile(policy);
  let changed = false;
  for (const object of params) {
    const first = await view();
    const matching = await seen.answers.settle(() => matches(seen.facts(object, first)));
    if (matching.error !== undefined) refuse(matching.error);
    if (matching.matched !== true) continue;
    for (const mutation of mutations) {
      const now = await view();
      const wanted = await seen.answers.settle(() => mutation(seen.facts(object, now)));
      const outcome = await attempt(now, wanted);
      if (outcome.error !== undefined) refuse(outcome.error);
      else changed = outcome.changed || changed;
    }
  }
  return changed;
}

type Outcome =
  | { readonly changed: boolean; readonly error?: undefined }
  | { readonly changed?: undefined; readonly error: string };

async function attempt(request: AdmissionRequest, wanted: Change): Promise<Outcome> {
  if (wanted.error !== undefined) return { error: wanted.error };
  try {
    const before = structuredClone(request.object);
    const after =
      wanted.kind === "apply" ? applied(request, wanted.value) : applyJsonPatch(before, wanted.value);
    if (isDeepStrictEqual(after, request.object)) return { changed: false };
    await request.replace(after);
    return { changed: true };
  } catch (thrown) {
    return { error: toError(thrown).message };
  }
}

function applied({ object, schema }: AdmissionRequest, config: unknown): unknown {
  if (schema === undefined) throw new Error("the kind has no schema to merge along");
  const atomic = atomicPart(schema, config);
  if (atomic !== undefined)
    throw new Error(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic}`);
  return merge(shapeOf(schema), object, config);
}
