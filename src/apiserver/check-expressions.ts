// The expressions of policies, webhooks and device selectors are compiled when they are written: what cannot be is
// refused. The language is loaded with the first of them.
import type { MutationSpec } from "#cel/mutation-policy.ts";
import type { PolicySpec } from "#cel/policy.ts";
import type { FieldError } from "#machinery/field-error.ts";
import type { MatchCondition } from "#machinery/gen/types/admissionregistration-v1.ts";
import type { DeviceSelector } from "#machinery/gen/types/resource-v1.ts";
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

interface Request {
  readonly exactly?: { readonly selectors?: readonly DeviceSelector[] };
  readonly firstAvailable?: readonly { readonly selectors?: readonly DeviceSelector[] }[];
}
interface ClaimSpec {
  readonly devices?: { readonly requests?: readonly Request[] };
}

/** Each selector's expression with its place; none is the kind's own to complain about. */
async function checkSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
): Promise<FieldError[]> {
  const given = (selectors ?? []).map(({ cel }) => cel?.expression ?? "");
  if (given.every((expression) => expression === "")) return [];
  const { checkDeviceSelector } = await import("#cel/device-selector.ts");
  return given.flatMap((expression, i) =>
    expression === "" ? [] : checkDeviceSelector(expression, `${path}.selectors[${i}].cel.expression`),
  );
}

async function checkClaim(spec: ClaimSpec | undefined, path: string): Promise<FieldError[]> {
  const errors: FieldError[] = [];
  for (const [i, { exactly, firstAvailable = [] }] of (spec?.devices?.requests ?? []).entries()) {
    const at = `${path}.devices.requests[${i}]`;
    errors.push(...(await checkSelectors(exactly?.selectors, `${at}.exactly`)));
    for (const [k, one] of firstAvailable.entries())
      errors.push(...(await checkSelectors(one.selectors, `${at}.firstAvailable[${k}]`)));
  }
  return errors;
}

const deviceChecks: Readonly<Record<string, Check>> = {
  deviceclasses: ({ spec }) =>
    checkSelectors((spec as { selectors?: readonly DeviceSelector[] } | undefined)?.selectors, "spec"),
  resourceclaims: ({ spec }) => checkClaim(spec, "spec"),
  resourceclaimtemplates: ({ spec }) =>
    checkClaim((spec as { spec?: ClaimSpec } | undefined)?.spec, "spec.spec"),
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

const ofGroup = (group: string, all: Readonly<Record<string, Check>>): (readonly [string, MoreChecks])[] =>
  Object.entries(all).map(([resource, check]) => [`${group}/${resource}`, unlessUnchanged(check)]);

export const expressionChecks: readonly (readonly [string, MoreChecks])[] = [
  ...ofGroup("admissionregistration.k8s.io", checks),
  ...ofGroup("resource.k8s.io", deviceChecks),
];
