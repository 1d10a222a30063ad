// What a pod may say about where it runs: affinity, spreading, tolerations, gates. Pure.

import type {
  Affinity,
  NodeAffinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSpec,
  TopologySpreadConstraint,
} from "#machinery/gen/types/core-v1.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkQualifiedName } from "#machinery/names.ts";
import { oneOf, validateLabelSelector } from "../../field-checks.ts";

export function validateTolerations(spec: Pick<PodSpec, "tolerations">, path: string): FieldError[] {
  return (spec.tolerations ?? []).flatMap((toleration, at) => {
    const own = index(child(path, "tolerations"), at);
    const errors: FieldError[] = [];
    if (toleration.key)
      errors.push(
        ...checkQualifiedName(toleration.key).map((why) => invalid(child(own, "key"), toleration.key, why)),
      );
    const operator = toleration.operator ?? "Equal";
    if (!toleration.key && operator !== "Exists")
      errors.push(
        invalid(
          child(own, "operator"),
          toleration.operator ?? "",
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== "NoExecute") {
      errors.push(
        invalid(
          child(own, "effect"),
          toleration.effect ?? "",
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    }
    if (!["", "Equal", "Exists", "Lt", "Gt"].includes(operator))
      errors.push(notSupported(child(own, "operator"), operator, ["Equal", "Exists"]));
    else if (operator === "Exists" && toleration.value)
      errors.push(
        invalid(child(own, "operator"), toleration, "value must be empty when `operator` is 'Exists'"),
      );
    if (toleration.effect && !["NoSchedule", "PreferNoSchedule", "NoExecute"].includes(toleration.effect)) {
      errors.push(
        notSupported(child(own, "effect"), toleration.effect, [
          "NoSchedule",
          "PreferNoSchedule",
          "NoExecute",
        ]),
      );
    }
    return errors;
  });
}

const weightMax = 100;
const needsValues = "must be specified when `operator` is 'In' or 'NotIn'";
const takesNoValues = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

function validateRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  comparisons: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) errors.push(required(child(path, "values"), needsValues));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) errors.push(forbidden(child(path, "values"), takesNoValues));
  } else if (comparisons && (operator === "Gt" || operator === "Lt")) {
    if (values.length !== 1)
      errors.push(
        required(child(path, "values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"),
      );
  } else errors.push(invalid(child(path, "operator"), operator ?? "", "not a valid selector operator"));
  return [
    ...errors,
    ...checkQualifiedName(key ?? "").map((why) => invalid(child(path, "key"), key ?? "", why)),
  ];
}

function validateNodeTerm(term: NodeSelectorTerm | undefined, path: string): FieldError[] {
  const errors = (term?.matchExpressions ?? []).flatMap((expression, at) =>
    validateRequirement(expression, index(child(path, "matchExpressions"), at), true),
  );
  for (const [at, { key, operator, values = [] }] of (term?.matchFields ?? []).entries()) {
    const own = index(child(path, "matchFields"), at);
    if (operator !== "In" && operator !== "NotIn")
      errors.push(invalid(child(own, "operator"), operator ?? "", "not a valid selector operator"));
    else if (values.length !== 1)
      errors.push(
        required(
          child(own, "values"),
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      );
    if (key !== "metadata.name")
      errors.push(invalid(child(own, "key"), key ?? "", "not a valid field selector key"));
  }
  return errors;
}

function validateWeight(weight: number | undefined, path: string): FieldError[] {
  return weight !== undefined && weight >= 1 && weight <= weightMax
    ? []
    : [invalid(child(path, "weight"), weight ?? 0, `must be in the range 1-${weightMax}`)];
}

function validatePodTerm(term: PodAffinityTerm | undefined, path: string): FieldError[] {
  const key = term?.topologyKey ?? "";
  return [
    ...validateLabelSelector(term?.labelSelector, child(path, "labelSelector")),
    ...validateLabelSelector(term?.namespaceSelector, child(path, "namespaceSelector")),
    ...(key === "" ? [required(child(path, "topologyKey"), "can not be empty")] : []),
    ...checkQualifiedName(key).map((why) => invalid(child(path, "topologyKey"), key, why)),
  ];
}

/** Of several terms one must fit; none at all would fit nothing. */
export function validateNodeSelectorTerms(terms: readonly NodeSelectorTerm[], path: string): FieldError[] {
  return terms.length === 0
    ? [required(path, "must have at least one node selector term")]
    : terms.flatMap((term, at) => validateNodeTerm(term, index(path, at)));
}

const mandatory = "requiredDuringSchedulingIgnoredDuringExecution";
const preferred = "preferredDuringSchedulingIgnoredDuringExecution";

export function validateNodeAffinity(affinity: NodeAffinity | undefined, path: string): FieldError[] {
  const selector = affinity?.[mandatory];
  const terms = child(child(path, mandatory), "nodeSelectorTerms");
  return [
    ...(selector === undefined ? [] : validateNodeSelectorTerms(selector.nodeSelectorTerms ?? [], terms)),
    ...(affinity?.[preferred] ?? []).flatMap((term, at) => {
      const own = index(child(path, preferred), at);
      return [
        ...validateWeight(term.weight, own),
        ...validateNodeTerm(term.preference, child(own, "preference")),
      ];
    }),
  ];
}

function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const errors = validateNodeAffinity(affinity?.nodeAffinity, child(path, "nodeAffinity"));
  for (const key of ["podAffinity", "podAntiAffinity"] as const) {
    const own = child(path, key);
    for (const [at, term] of (affinity?.[key]?.[mandatory] ?? []).entries())
      errors.push(...validatePodTerm(term, index(child(own, mandatory), at)));
    for (const [at, term] of (affinity?.[key]?.[preferred] ?? []).entries()) {
      const place = index(child(own, preferred), at);
      errors.push(...validateWeight(term.weight, place));
      errors.push(...validatePodTerm(term.podAffinityTerm, child(place, "podAffinityTerm")));
    }
  }
  return errors;
}

function validateSpread(constraints: readonly TopologySpreadConstraint[], path: string): FieldError[] {
  const ways = ["DoNotSchedule", "ScheduleAnyway"];
  const policies = ["Honor", "Ignore"];
  const seen = new Set<string>();
  return constraints.flatMap((constraint, at) => {
    const own = index(path, at);
    const { maxSkew = 0, topologyKey = "", whenUnsatisfiable = "" } = constraint;
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(invalid(child(own, "maxSkew"), maxSkew, "must be greater than zero"));
    if (topologyKey === "") errors.push(required(child(own, "topologyKey"), "can not be empty"));
    else
      errors.push(
        ...checkQualifiedName(topologyKey).map((why) => invalid(child(own, "topologyKey"), topologyKey, why)),
      );
    if (!ways.includes(whenUnsatisfiable))
      errors.push(notSupported(child(own, "whenUnsatisfiable"), whenUnsatisfiable, ways));
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.push(duplicate(`${own}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    for (const key of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const)
      errors.push(...oneOf(constraint[key], policies, child(own, key)));
    return [...errors, ...validateLabelSelector(constraint.labelSelector, child(own, "labelSelector"))];
  });
}

function validateGates(spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>();
  return (spec.schedulingGates ?? []).flatMap(({ name = "" }, at) => {
    const own = index(child(path, "schedulingGates"), at);
    const errors = checkQualifiedName(name).map((why) => invalid(own, name, why));
    if (seen.has(name)) errors.push(duplicate(own, name));
    seen.add(name);
    return errors;
  });
}

export function validateScheduling(spec: PodSpec, path: string): FieldError[] {
  return [
    ...validateAffinity(spec.affinity, child(path, "affinity")),
    ...validateTolerations(spec, path),
    ...validateSpread(spec.topologySpreadConstraints ?? [], child(path, "topologySpreadConstraints")),
    ...validateGates(spec, path),
  ];
}
