// The expressions of policies and webhooks are compiled when they are written: what cannot be is refused.
import type { MutationSpec } from "#cel/mutation-policy.ts";
import type { PolicySpec } from "#cel/policy.ts";
import type { FieldError } from "#machinery/field-error.ts";
import type { MatchCondition } from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { invalidObject } from "#machinery/status.ts";
import { admissionGroup } from "./bound-policies.ts";
import type { AdmissionPlugin } from "./contract.ts";

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

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    "validatingadmissionpolicies",
    async ({ spec = {} }) => (await import("#cel/policy.ts")).compilePolicy(spec as PolicySpec).errors,
  ],
  [
    "mutatingadmissionpolicies",
    async ({ spec = {} }) =>
      (await import("#cel/mutation-policy.ts")).compileMutations(spec as MutationSpec).errors,
  ],
  ["validatingwebhookconfigurations", checkWebhooks],
  ["mutatingwebhookconfigurations", checkWebhooks],
]);

export const expressionCheck: AdmissionPlugin = {
  name: "ExpressionCheck",
  async validate({ operation, resource, subresource, kind, name, object }) {
    if (resource.group !== admissionGroup || subresource !== "" || object === undefined) return;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    const errors = (await checks.get(resource.resource)?.(object as Configuration)) ?? [];
    if (errors.length > 0) throw invalidObject(kind, name, errors);
  },
};
