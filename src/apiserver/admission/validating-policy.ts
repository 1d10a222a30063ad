// ValidatingAdmissionPolicy: policies of expressions that are bound to requests. A finding denies the request, warns
// about it, or is for the audit log alone, as the binding says; the first that denies is the answer.
import type { AdmissionFacts } from "#cel/admission-variables.ts";
import type { CompiledPolicy, Finding, PolicySpec } from "#cel/policy.ts";
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { failure, forbiddenError, invalidObject, type ApiError } from "#machinery/status.ts";
import type { Authorizer } from "../auth/contract.ts";
import { AuthorizerAnswers } from "./authorizer-answers.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";
import { isNamespace, resourcesMatch } from "./match-resources.ts";
import { bindParams } from "./policy-params.ts";

const group = "admissionregistration.k8s.io";
const policies = "validatingadmissionpolicies";
const bindings = "validatingadmissionpolicybindings";
/** Whoever could write a policy that stops these could never take it back. */
const exempt: ReadonlySet<string> = new Set([
  policies,
  bindings,
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
  "validatingwebhookconfigurations",
  "mutatingwebhookconfigurations",
]);

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
  return {
    name: "ValidatingAdmissionPolicy",
    async validate(request) {
      if (request.resource.group === group && exempt.has(request.resource.resource)) {
        if (request.resource.resource === policies) await checkPolicy(request);
        return;
      }
      const bound = await reads.list<Binding>(group, bindings, "");
      if (bound.length === 0) return;
      const denials = await new Judgement(request, reads, authorizer, compile).all(bound);
      const [first] = denials;
      if (first !== undefined) throw denied(request, first);
    },
  };
}

/** The expressions of a policy are compiled when it is written: what cannot be is refused. */
async function checkPolicy({ operation, subresource, kind, name, object }: AdmissionRequest): Promise<void> {
  if ((operation !== "CREATE" && operation !== "UPDATE") || subresource !== "" || object === undefined)
    return;
  const { compilePolicy } = await import("#cel/policy.ts");
  const { errors } = compilePolicy(((object as Policy).spec ?? {}) as PolicySpec);
  if (errors.length > 0) throw invalidObject(kind, name, errors);
}

function denied({ resource, name, object }: AdmissionRequest, { message, reason }: Denial): ApiError {
  const codes: Readonly<Record<string, number>> = {
    Unauthorized: 401,
    Forbidden: 403,
    RequestEntityTooLarge: 413,
  };
  const base = forbiddenError(resource, name || (object?.metadata?.generateName ?? ""), message);
  const details = { ...base.status.details, causes: [{ message }] };
  return failure(codes[reason] ?? 422, reason, base.message, details);
}

/** One request and all that is bound to it. */
class Judgement {
  private readonly request: AdmissionRequest;
  private readonly reads: AdmissionReads;
  private readonly answers: AuthorizerAnswers;
  private readonly compile: (policy: Policy) => Promise<CompiledPolicy>;
  private readonly denials: Denial[] = [];

  constructor(
    request: AdmissionRequest,
    reads: AdmissionReads,
    authorizer: Authorizer,
    compile: (policy: Policy) => Promise<CompiledPolicy>,
  ) {
    this.request = request;
    this.reads = reads;
    this.answers = new AuthorizerAnswers(authorizer, request.caller);
    this.compile = compile;
  }

  async all(bound: readonly Binding[]): Promise<readonly Denial[]> {
    const { request, reads } = this;
    const namespace =
      request.namespace === "" || isNamespace(request)
        ? undefined
        : await reads.get("", "namespaces", "", request.namespace);
    for (const binding of bound) {
      const policy = await reads.get<Policy>(group, policies, "", binding.spec?.policyName ?? "");
      if (policy?.spec?.matchConstraints === undefined) continue;
      if (!resourcesMatch(policy.spec.matchConstraints, request, namespace)) continue;
      if (!resourcesMatch(binding.spec?.matchResources, request, namespace)) continue;
      await this.judge(policy, binding, namespace);
    }
    return this.denials;
  }

  private async judge(policy: Policy, binding: Binding, namespace: KubeObject | undefined): Promise<void> {
    const { reads, request } = this;
    const fails = policy.spec?.failurePolicy !== "Ignore";
    const params = await bindParams(reads, policy.spec?.paramKind, binding.spec?.paramRef, request.namespace);
    if (params.error !== undefined) {
      const message = `failed to configure binding: ${params.error}`;
      if (fails) this.denials.push({ message: sentence(policy, binding, message), reason: "Invalid" });
      return;
    }
    const program = await this.compile(policy);
    for (const one of params.objects) {
      const facts = this.facts(one, namespace);
      const findings = await this.answers.settle(() => findingsOf(program, facts));
      for (const finding of findings)
        if (finding.outcome === "denied" || fails) this.enforce(policy, binding, finding);
    }
  }

  private enforce(policy: Policy, binding: Binding, { message, reason }: Finding): void {
    const actions = binding.spec?.validationActions ?? [];
    if (actions.includes("Warn")) {
      const names = `'${policy.metadata?.name ?? ""}' with binding '${binding.metadata?.name ?? ""}'`;
      this.request.warn(`Validation failed for ValidatingAdmissionPolicy ${names}: ${message}`);
    }
    if (actions.includes("Deny")) this.denials.push({ message: sentence(policy, binding, message), reason });
  }

  private facts(params: KubeObject | undefined, namespace: KubeObject | undefined): AdmissionFacts {
    const { request } = this;
    const { kind, resource, subresource, caller } = request;
    return {
      object: request.object,
      oldObject: request.old,
      params,
      namespaceObject: namespace,
      authorize: this.answers.authorize,
      request: {
        kind,
        resource,
        subResource: subresource,
        requestKind: kind,
        requestResource: resource,
        requestSubResource: subresource,
        name: request.name,
        namespace: request.namespace,
        operation: request.operation,
        userInfo: {
          username: caller.name,
          groups: caller.groups,
          ...(caller.uid === undefined ? {} : { uid: caller.uid }),
          ...(caller.extra === undefined ? {} : { extra: caller.extra }),
        },
        dryRun: request.dryRun,
        options: {},
      },
    };
  }
}

function findingsOf(program: CompiledPolicy, facts: AdmissionFacts): readonly Finding[] {
  const matching = program.matches(facts);
  if (matching.error !== undefined) return [{ outcome: "error", message: matching.error, reason: "Invalid" }];
  return matching.matched ? program.findings(facts) : [];
}

const sentence = (policy: Policy, binding: Binding, message: string): string =>
  `ValidatingAdmissionPolicy '${policy.metadata?.name ?? ""}' with binding '${binding.metadata?.name ?? ""}' denied request: ${message}`;
