// ValidatingAdmissionPolicy: policies of expressions that are bound to requests. A finding denies the request, warns
// about it, or is for the audit log alone, as the binding says; the first that denies is the answer.
import type { AdmissionFacts } from "#cel/admission-variables.ts";
import type { CompiledPolicy, Finding, PolicySpec } from "#cel/policy.ts";
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { failure, forbiddenError, type ApiError } from "#machinery/status.ts";
import type { Authorizer } from "../auth/contract.ts";
import { admissionGroup, isExempt, PolicyRequest } from "./bound-policies.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

type Policy = KubeObject & ValidatingAdmissionPolicy;
type Binding = KubeObject & ValidatingAdmissionPolicyBinding;

interface Denial {
  readonly message: string;
  readonly reason: string;
}

export function validatingAdmissionPolicy(reads: AdmissionReads, authorizer: Authorizer): AdmissionPlugin {
  /** What the caches hold stays the same object until it is written again. */
  const compiled = new WeakMap<object, CompiledPolicy>();
  const compile = async (policy: Policy): Promise<CompiledPolicy> => {
    const known = compiled.get(policy);
    if (known !== undefined) return known;
    const { compilePolicy } = await import("#cel/policy.ts");
    const made = compilePolicy((policy.spec ?? {}) as PolicySpec);
    compiled.set(policy, made);
    return made;
  };
  const judge = async (request: AdmissionRequest): Promise<void> => {
    const bindings = await reads.list<Binding>(admissionGroup, "validatingadmissionpolicybindings", "");
    const seen = new PolicyRequest(request, reads, authorizer);
    const denials: Denial[] = [];
    for await (const one of seen.bound<Policy, Binding>("validatingadmissionpolicies", bindings)) {
      const { policy, binding, view, errorsRefuse, params, error } = one;
      if (error !== undefined) {
        const message = sentence(policy, binding, `failed to configure binding: ${error}`);
        if (errorsRefuse) denials.push({ message, reason: "Invalid" });
        continue;
      }
      const program = await compile(policy);
      for (const object of params) {
        const facts = seen.facts(object, await view());
        const findings = await seen.answers.settle(() => findingsOf(program, facts));
        for (const finding of findings)
          if (finding.outcome === "denied" || errorsRefuse)
            denials.push(...enforce(request, policy, binding, finding));
      }
    }
    const [first] = denials;
    if (first !== undefined) throw denied(request, first);
  };
  return {
    name: "ValidatingAdmissionPolicy",
    connects: true,
    validate: (request) =>
      !reads.has(admissionGroup, "validatingadmissionpolicybindings") || isExempt(request)
        ? undefined
        : judge(request),
  };
}

function findingsOf(program: CompiledPolicy, facts: AdmissionFacts): readonly Finding[] {
  const matching = program.matches(facts);
  if (matching.error !== undefined) return [{ outcome: "error", message: matching.error, reason: "Invalid" }];
  return matching.matched ? program.findings(facts) : [];
}

/** What the binding wants of a finding: a warning is given here, a denial is returned. */
function enforce(request: AdmissionRequest, policy: Policy, binding: Binding, finding: Finding): Denial[] {
  const { message, reason } = finding;
  const actions = binding.spec?.validationActions ?? [];
  if (actions.includes("Warn")) {
    const names = `'${policy.metadata?.name ?? ""}' with binding '${binding.metadata?.name ?? ""}'`;
    request.warn(`Validation failed for ValidatingAdmissionPolicy ${names}: ${message}`);
  }
  return actions.includes("Deny") ? [{ message: sentence(policy, binding, message), reason }] : [];
}

const sentence = (policy: Policy, binding: Binding, message: string): string =>
  `ValidatingAdmissionPolicy '${policy.metadata?.name ?? ""}' with binding '${binding.metadata?.name ?? ""}' denied request: ${message}`;

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
};

function denied({ resource, name, object }: AdmissionRequest, { message, reason }: Denial): ApiError {
  const base = forbiddenError(resource, name || (object?.metadata?.generateName ?? ""), message);
  const details = { ...base.status.details, causes: [{ message }] };
  return failure(codes[reason] ?? 422, reason, base.message, details);
}
