// The names of a CustomResourceDefinition: what they must look like, and which of them others have already. Pure.

import { child, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
  CustomResourceDefinitionNames as Names,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { checkDns1035Label } from "#machinery/names.ts";

export function validateNames(names: Names, path: string): FieldError[] {
  const label = (field: string, value: string, shown = checkDns1035Label(value)): FieldError[] =>
    shown.length === 0 ? [] : [invalid(child(path, field), value, shown.join(","))];
  const mixed = (field: string, value: string): FieldError[] => {
    const errors = checkDns1035Label(value.toLowerCase());
    const why = `may have mixed case, but should otherwise match: ${errors.join(",")}`;
    return errors.length === 0 ? [] : [invalid(child(path, field), value, why)];
  };
  const each = (field: string, values: readonly string[] = []): FieldError[] =>
    values.flatMap((value, at) => {
      const errors = checkDns1035Label(value);
      return errors.length === 0 ? [] : [invalid(index(child(path, field), at), value, errors.join(","))];
    });
  const { plural, singular = "", kind, listKind = "" } = names;
  const missing = Object.entries({ plural, singular, kind, listKind })
    .filter(([, value]) => value === "")
    .map(([field]) => required(child(path, field)));
  const same = kind !== "" && kind === listKind;
  return [
    ...missing,
    ...label("plural", plural),
    ...(singular === "" ? [] : label("singular", singular)),
    ...each("shortNames", names.shortNames),
    ...(kind === "" ? [] : mixed("kind", kind)),
    ...(listKind === "" ? [] : mixed("listKind", listKind)),
    ...each("categories", names.categories),
    ...(same ? [invalid(child(path, "listKind"), listKind, "kind and listKind may not be the same")] : []),
  ];
}

export function conditionOf(crd: CustomResourceDefinition, type: string): Condition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type);
}

export const isTrue = (crd: CustomResourceDefinition, type: string): boolean =>
  conditionOf(crd, type)?.status === "True";

/** Sets a condition; its time of transition changes only with its status. */
export function withCondition(
  conditions: readonly Condition[],
  condition: Condition,
  now: string,
): Condition[] {
  const at = conditions.findIndex(({ type }) => type === condition.type);
  const old = conditions[at];
  const moved = old?.status !== condition.status ? now : (old.lastTransitionTime ?? now);
  const next = { lastTransitionTime: moved, ...condition };
  return at < 0 ? [...conditions, next] : conditions.with(at, next);
}

/** The names that other definitions of the group hold. */
interface Taken {
  /** plural, singular and short names are looked up alike. */
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export function takenNames(crd: CustomResourceDefinition, all: readonly CustomResourceDefinition[]): Taken {
  const others = all.filter(
    ({ spec, metadata }) => spec.group === crd.spec.group && metadata?.name !== crd.metadata?.name,
  );
  const held = others.map(({ status }) => status?.acceptedNames).filter((names) => names !== undefined);
  const texts = (values: readonly (string | undefined)[]): Set<string> =>
    new Set(values.filter((value) => value !== undefined && value !== "") as string[]);
  return {
    resources: texts(
      held.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]),
    ),
    kinds: texts(held.flatMap(({ kind, listKind }) => [kind, listKind])),
  };
}

/** Which names are accepted, and the condition that says so. A name that is taken leaves the one accepted before. */
export function acceptNames(
  crd: CustomResourceDefinition,
  all: readonly CustomResourceDefinition[],
): { names: Names; condition: Condition } {
  const { resources, kinds } = takenNames(crd, all);
  const wanted = crd.spec.names;
  const before = crd.status?.acceptedNames ?? { plural: "", kind: "" };
  const names: Names = { ...before };
  let condition: Condition = {
    type: "NamesAccepted",
    status: "True",
    reason: "NoConflicts",
    message: "no conflicts found",
  };
  const refuse = (reason: string, message: string): void => {
    condition = { type: "NamesAccepted", status: "False", reason, message };
  };
  const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
  const accept = (
    field: "plural" | "singular" | "kind" | "listKind",
    taken: ReadonlySet<string>,
    reason: string,
  ): void => {
    const name = wanted[field] ?? "";
    if (name !== "" && taken.has(name)) refuse(reason, inUse(name));
    else names[field] = name;
  };
  accept("plural", resources, "PluralConflict");
  accept("singular", resources, "SingularConflict");
  const shortNames = wanted.shortNames ?? [];
  const clashes = shortNames.filter((name) => resources.has(name)).map(inUse);
  if (clashes.length > 0)
    refuse("ShortNamesConflict", clashes.length === 1 ? (clashes[0] as string) : `[${clashes.join(", ")}]`);
  else if (shortNames.length > 0) names.shortNames = shortNames;
  else delete names.shortNames;
  accept("kind", kinds, "KindConflict");
  accept("listKind", kinds, "ListKindConflict");
  if (wanted.categories === undefined) delete names.categories;
  else names.categories = wanted.categories;
  return { names, condition };
}

export const approvedAnnotation = "api-approved.kubernetes.io";
/** Groups of the system are for those whose API was reviewed. */
export const isSystemGroup = (group: string): boolean => /(^|\.)(k8s|kubernetes)\.io$/.test(group);

/** What the annotation says of a definition in a group of the system. */
export function approvalCondition(crd: CustomResourceDefinition): Condition | undefined {
  if (!isSystemGroup(crd.spec.group)) return undefined;
  const value = crd.metadata?.annotations?.[approvedAnnotation] ?? "";
  const type = "KubernetesAPIApprovalPolicyConformant";
  return value.startsWith("unapproved")
    ? {
        type,
        status: "False",
        reason: "UnapprovedAnnotation",
        message: `not approved: ${JSON.stringify(value)}`,
      }
    : { type, status: "True", reason: "ApprovedAnnotation", message: `approved in ${value}` };
}
