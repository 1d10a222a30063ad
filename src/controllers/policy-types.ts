// Says in a ValidatingAdmissionPolicy's status what cannot be right in its expressions, for the kinds that it names.
// Watches: validatingadmissionpolicies.  Owns: nothing.  Writes: validatingadmissionpolicies/status.
// Why run(): the expression language is loaded with the first policy.

import { ValidatingAdmissionPolicies } from "#client/refs.ts";
import type { MatchedKind } from "#cel/policy-types.ts";
import type { PolicySpec } from "#cel/policy.ts";
import type { ValidatingAdmissionPolicy } from "#machinery/gen/types/admissionregistration-v1.ts";
import { schemaFor, type StructSchema } from "#machinery/schema/schema.ts";
import { statusAction } from "#reconcile/action.ts";
import { defineController, watching, type RunContext } from "#reconcile/controller.ts";
import { builtinResources } from "#resources/index.ts";

/** So many kinds are looked at, the first by group, version and resource. */
const kindsMax = 10;

interface Kind {
  readonly label: string;
  readonly schema: StructSchema;
}

/** The built-in kinds that a policy names; what it says with `*` is not looked at. */
export function namedKinds({ spec }: ValidatingAdmissionPolicy): readonly Kind[] {
  const named = new Set<string>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec?.matchConstraints?.resourceRules ??
    [])
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const resource of resources)
          if (![group, version, resource].some((part) => /[*]/.test(part)) && !resource.includes("/"))
            named.add(`${group}/${version}/${resource}`);
  return [...named]
    .sort()
    .slice(0, kindsMax)
    .flatMap((path) => {
      const found = builtinResources.find((one) => `${one.group}/${one.version}/${one.resource}` === path);
      return found === undefined ? [] : (kindOf(found.group, found.version, found.kind) ?? []);
    });
}

function kindOf(group: string, version: string, kind: string): Kind | undefined {
  const schema = schemaFor(group, version, kind);
  return schema === undefined ? undefined : { label: `${group}/${version}, Kind=${kind}`, schema };
}

function paramsOf({ spec }: ValidatingAdmissionPolicy): Kind | undefined {
  const [version = "", group = ""] = (spec?.paramKind?.apiVersion ?? "").split("/").reverse();
  return kindOf(group, version, spec?.paramKind?.kind ?? "");
}

async function check(policy: ValidatingAdmissionPolicy, io: RunContext): Promise<void> {
  const [{ typeCheckPolicy }, { messageType }] = await Promise.all([
    import("#cel/policy-types.ts"),
    import("#cel/message-type.ts"),
  ]);
  const kinds = namedKinds(policy).map(({ label, schema }): MatchedKind => ({
    label,
    type: messageType(schema),
  }));
  const params = paramsOf(policy);
  const warnings = typeCheckPolicy(
    (policy.spec ?? {}) as PolicySpec,
    kinds,
    params === undefined ? undefined : messageType(params.schema),
  );
  const status = {
    ...policy.status,
    observedGeneration: policy.metadata?.generation ?? 0,
    typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings },
  };
  await io.execute([statusAction(ValidatingAdmissionPolicies, { ...policy, status })]);
}

export const policyTypesController = defineController<ValidatingAdmissionPolicy>({
  name: "validatingadmissionpolicy-status-controller",
  owns: [],
  writes: [ValidatingAdmissionPolicies],
  workers: 1,
  watches: [
    watching<ValidatingAdmissionPolicy>({
      ref: ValidatingAdmissionPolicies,
      keys: ({ metadata }) => [metadata?.name ?? ""],
    }),
  ],
  read: (name, reads) => {
    const policy = reads.of<ValidatingAdmissionPolicy>(ValidatingAdmissionPolicies).get(name);
    if (policy === undefined || policy.metadata?.deletionTimestamp !== undefined) return undefined;
    const { generation = 0 } = policy.metadata ?? {};
    return generation <= (policy.status?.observedGeneration ?? 0)
      ? undefined
      : (policy as ValidatingAdmissionPolicy);
  },
  plan: () => ({ actions: [] }),
  run: async (policy, io) => {
    await check(policy, io);
    return undefined;
  },
});
