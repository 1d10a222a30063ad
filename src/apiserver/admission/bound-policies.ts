// What the two kinds of admission policies share: which of them are bound to a request, with which parameters; what
// their expressions see of it.
import type { AdmissionFacts } from "#cel/admission-variables.ts";
import type { MatchResources, ParamKind, ParamRef } from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Authorizer } from "../auth/contract.ts";
import { AuthorizerAnswers } from "./authorizer-answers.ts";
import type { AdmissionReads, AdmissionRequest } from "./contract.ts";
import { isNamespace, resourcesView, type View } from "./match-resources.ts";
import { bindParams } from "./policy-params.ts";

export const admissionGroup = "admissionregistration.k8s.io";

/** Whoever could write a policy that stops these could never take it back. */
const exempt: ReadonlySet<string> = new Set([
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
  "validatingwebhookconfigurations",
  "mutatingwebhookconfigurations",
]);

/** Policies are about everything but what they are made of. */
export const isExempt = ({ resource }: AdmissionRequest): boolean =>
  resource.group === admissionGroup && exempt.has(resource.resource);

interface PolicyObject extends KubeObject {
  spec?: { matchConstraints?: MatchResources; paramKind?: ParamKind; failurePolicy?: string };
}
interface BindingObject extends KubeObject {
  spec?: { policyName?: string; matchResources?: MatchResources; paramRef?: ParamRef };
}

export interface BoundPolicy<P, B> {
  readonly policy: P;
  readonly binding: B;
  /** The request in the version that the policy is about. */
  readonly view: View;
  /** What has no answer refuses the request. */
  readonly errorsRefuse: boolean;
  /** The policy is asked once for each. */
  readonly params: readonly (KubeObject | undefined)[];
  /** It is bound in a way that cannot work. */
  readonly error: string | undefined;
}

/** A request as policies see it. */
export class PolicyRequest {
  readonly request: AdmissionRequest;
  readonly answers: AuthorizerAnswers;
  private readonly reads: AdmissionReads;
  private found: KubeObject | undefined;

  constructor(request: AdmissionRequest, reads: AdmissionReads, authorizer: Authorizer) {
    this.request = request;
    this.reads = reads;
    this.answers = new AuthorizerAnswers(authorizer, request.caller);
  }

  /** The namespace that the request is in. */
  async namespace(): Promise<KubeObject | undefined> {
    const { request } = this;
    if (this.found === undefined && request.namespace !== "" && !isNamespace(request))
      this.found = await this.reads.get("", "namespaces", "", request.namespace);
    return this.found;
  }

  /** The policies that are bound to this request, in the order of their bindings' names. */
  async *bound<P extends PolicyObject, B extends BindingObject>(
    policies: string,
    bindings: readonly B[],
  ): AsyncGenerator<BoundPolicy<P, B>> {
    const { request, reads } = this;
    const namespace = await this.namespace();
    for (const binding of bindings) {
      const policy = await reads.get<P>(admissionGroup, policies, "", binding.spec?.policyName ?? "");
      if (policy?.spec?.matchConstraints === undefined) continue;
      const view = resourcesView(policy.spec.matchConstraints, request, namespace);
      if (view === undefined) continue;
      if (resourcesView(binding.spec?.matchResources, request, namespace) === undefined) continue;
      const { paramKind, failurePolicy } = policy.spec;
      const { objects = [], error } = await bindParams(
        reads,
        paramKind,
        binding.spec?.paramRef,
        request.namespace,
      );
      yield { policy, binding, view, errorsRefuse: failurePolicy !== "Ignore", params: objects, error };
    }
  }

  facts(params: KubeObject | undefined, request = this.request): AdmissionFacts {
    const { found: namespace } = this;
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
        requestKind: request.asked?.kind ?? kind,
        requestResource: request.asked?.resource ?? resource,
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
