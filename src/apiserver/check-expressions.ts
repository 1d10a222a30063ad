// The expressions of policies and webhooks are compiled when they are written: what cannot be is refused. The language
// is loaded with the first of them.
import type { MutationSpec } from "#cel/mutation-policy.ts";
import type { PolicySpec } from "#cel/policy.ts";
import type { FieldError } from "#machinery/field-error.ts";
import type { MatchCondition } from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { MoreChecks } from "./context.ts";

interface Configuration extends KubeObject {
  readonly spec?: object;
  readonly webhooks?: readonly { readonly matchConditions?: readonly MatchCondition[] }[];
}
type Check = (object: Configuration) => Promise<readonly FieldError[]>;

const checkWebhooks: Check = async ({ webhooks = [] }) => {
  if (!webhooks.some(({ matchConditions = [] }) => matchConditions.length > 0)) return [];
  const { compileMatchConditions } = await import("#cel/policy-run.ts");
  return webhooks.flatMap(
    ({ matchConditions = [] }, i) =>
      compileMatchConditions(matchConditions, `webhooks[${i}].matchConditions`).errors,
  );
};

const checks: Readonly<Record<string, Check>> = {
  validatingadmissionpolicies: async ({ spec = {} }) =>
    (await import("#cel/policy.ts")).compilePolicy(spec as PolicySpec).errors,
  mutatingadmissionpolicies: async ({ spec = {} }) =>
    (await import("#cel/mutation-policy.ts")).compileMutations(spec as MutationSpec).errors,
  validatingwebhookconfigurations: checkWebhooks,
  mutatingwebhookconfigurations: checkWebhooks,
};

const parts = ({ spec, webhooks }: Configuration): string => JSON.stringify({ spec, webhooks });

/** What is as it was passed once. */
const unlessUnchanged =
  (check: Check): MoreChecks =>
  async (next, old) =>
    old !== undefined && parts(next as Configuration) === parts(old as Configuration)
      ? []
      : [...(await check(next as Configuration))];

export const expressionChecks: readonly (readonly [string, MoreChecks])[] = Object.entries(checks).map(
  ([resource, check]) => [`admissionregistration.k8s.io/${resource}`, unlessUnchanged(check)],
);
