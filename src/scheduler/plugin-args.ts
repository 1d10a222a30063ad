// The arguments of plug-ins (`pluginConfig` of a profile): what they set, and what is wrong with them. Pure.

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
import type { NodeAffinity } from "#machinery/gen/types/core-v1.ts";
import { nodeTerms } from "#resources/core/pod/node-affinity.ts";
import { validateNodeAffinity } from "#resources/core/pod/scheduling-validation.ts";
import type { AddedNodes } from "./plan/node-class.ts";
import { defaultProfile, type Profile, type ResourceWeight } from "./plan/profile.ts";

export type Args = Readonly<Record<string, unknown>>;
export type Settings = Partial<{ -readonly [K in keyof Profile]: Profile[K] }> & {
  readonly addedNodes?: AddedNodes;
};

const weightMax = 100;

function resourcesOf(
  value: unknown,
  path: string,
  errors: FieldError[],
): readonly ResourceWeight[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map((one: { name?: string; weight?: number }, at) => {
    const { name = "", weight = 1 } = one;
    if (name === "") errors.push(required(child(index(path, at), "name")));
    if (weight < 1 || weight > weightMax)
      errors.push(
        invalid(child(index(path, at), "weight"), weight, "resource weight should be between 1 and 100"),
      );
    return { name, weight };
  });
}

const ignoredBy = (args: Args): Settings => ({
  ignoredResources: new Set(
    ["ignoredResources", "ignoredResourceGroups"].flatMap((key) => (args[key] ?? []) as readonly string[]),
  ),
});

function fitArgs(args: Args, path: string, errors: FieldError[]): Settings {
  const {
    type = "LeastAllocated",
    resources,
    requestedToCapacityRatio,
  } = (args["scoringStrategy"] ?? {}) as {
    type?: string;
    resources?: unknown;
    requestedToCapacityRatio?: { shape?: { utilization: number; score: number }[] };
  };
  const own = child(path, "scoringStrategy");
  const weights = resourcesOf(resources, child(own, "resources"), errors) ?? defaultProfile.balancedResources;
  switch (type) {
    case "LeastAllocated":
    case "MostAllocated":
      return { strategy: { type, resources: weights } };
    case "RequestedToCapacityRatio": {
      const shape = requestedToCapacityRatio?.shape ?? [];
      const at = child(own, "requestedToCapacityRatio.shape");
      if (shape.length === 0) errors.push(required(at, "at least one point must be specified"));
      for (const [n, { utilization, score }] of shape.entries()) {
        const before = shape[n - 1]?.utilization ?? -1;
        if (!(utilization >= 0 && utilization <= 100))
          errors.push(invalid(child(index(at, n), "utilization"), utilization, "not in valid range [0-100]"));
        else if (utilization <= before)
          errors.push(
            invalid(
              child(index(at, n), "utilization"),
              utilization,
              "utilization values must be sorted in increasing order",
            ),
          );
        if (!(score >= 0 && score <= 10))
          errors.push(invalid(child(index(at, n), "score"), score, "not in valid range [0-10]"));
      }
      return { strategy: { type, resources: weights, shape } };
    }
    default:
      errors.push(
        notSupported(child(own, "type"), type, [
          "LeastAllocated",
          "MostAllocated",
          "RequestedToCapacityRatio",
        ]),
      );
      return {};
  }
}

interface SpreadConfig {
  readonly topologyKey?: string;
  readonly maxSkew?: number;
  readonly minDomains?: number;
  readonly whenUnsatisfiable?: string;
  readonly nodeAffinityPolicy?: string;
  readonly nodeTaintsPolicy?: string;
  readonly labelSelector?: unknown;
}

const whenUnsatisfiable = ["DoNotSchedule", "ScheduleAnyway"];
const policies = ["Honor", "Ignore"];

function checkSpread(one: SpreadConfig, path: string, errors: FieldError[]): void {
  const { maxSkew = 0, minDomains, topologyKey = "", whenUnsatisfiable: when = "", labelSelector } = one;
  const among = (field: "nodeAffinityPolicy" | "nodeTaintsPolicy"): void => {
    const value = one[field];
    if (value !== undefined && !policies.includes(value))
      errors.push(notSupported(child(path, field), value, policies));
  };
  if (maxSkew <= 0) errors.push(invalid(child(path, "maxSkew"), maxSkew, "not in valid range (0, inf)"));
  if (minDomains !== undefined && minDomains <= 0)
    errors.push(invalid(child(path, "minDomains"), minDomains, "must be greater than zero"));
  if (minDomains !== undefined && when !== "DoNotSchedule")
    errors.push(
      invalid(
        child(path, "minDomains"),
        minDomains,
        "can only use minDomains if whenUnsatisfiable=DoNotSchedule",
      ),
    );
  if (topologyKey === "") errors.push(required(child(path, "topologyKey"), "can not be empty"));
  if (when === "") errors.push(required(child(path, "whenUnsatisfiable"), "can not be empty"));
  else if (!whenUnsatisfiable.includes(when))
    errors.push(notSupported(child(path, "whenUnsatisfiable"), when, whenUnsatisfiable));
  if (labelSelector !== undefined && labelSelector !== null)
    errors.push(
      forbidden(
        child(path, "labelSelector"),
        "constraint must not define a selector, as they deduced for each pod",
      ),
    );
  among("nodeAffinityPolicy");
  among("nodeTaintsPolicy");
}

function spreadArgs(args: Args, path: string, errors: FieldError[]): Settings {
  const { defaultingType = "System", defaultConstraints = [] } = args as {
    defaultingType?: string;
    defaultConstraints?: readonly SpreadConfig[];
  };
  if (defaultingType === "System") {
    if (defaultConstraints.length > 0)
      errors.push(
        invalid(child(path, "defaultingType"), defaultingType, "when .defaultConstraints are specified"),
      );
    return {};
  }
  if (defaultingType !== "List")
    errors.push(notSupported(child(path, "defaultingType"), defaultingType, ["List", "System"]));
  const seen = new Set<string>();
  for (const [at, one] of defaultConstraints.entries()) {
    const own = index(child(path, "defaultConstraints"), at);
    checkSpread(one, own, errors);
    const pair = `{${one.topologyKey}, ${one.whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.push(duplicate(child(own, "{topologyKey, whenUnsatisfiable}"), pair));
    seen.add(pair);
  }
  return {
    defaultsAreSystem: false,
    defaultConstraints: defaultConstraints.map((one) => ({
      topologyKey: one.topologyKey ?? "",
      maxSkew: one.maxSkew ?? 1,
      minDomains: one.minDomains ?? 1,
      honorsAffinity: one.nodeAffinityPolicy !== "Ignore",
      honorsTaints: one.nodeTaintsPolicy === "Honor",
      isHard: one.whenUnsatisfiable === "DoNotSchedule",
    })),
  };
}

function nodeAffinityArgs(args: Args, path: string, errors: FieldError[]): Settings {
  const { addedAffinity } = args as { addedAffinity?: NodeAffinity | null };
  if (addedAffinity === undefined || addedAffinity === null) return {};
  errors.push(...validateNodeAffinity(addedAffinity, child(path, "addedAffinity")));
  const required = addedAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = addedAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const terms = required && nodeTerms(required.nodeSelectorTerms ?? []);
  return {
    ...(terms === undefined ? {} : { addedNodes: { id: JSON.stringify(terms), terms } }),
    addedPreferredNodes: preferred.flatMap(({ weight, preference }) =>
      nodeTerms([preference]).map((term) => ({ weight, term })),
    ),
  };
}

export function settingsOf(name: string, args: Args, path: string, errors: FieldError[]): Settings {
  const number = (key: string, least: number, most: number): number | undefined => {
    const value = args[key];
    if (value === undefined) return undefined;
    if (typeof value === "number" && value >= least && value <= most) return value;
    errors.push(invalid(child(path, key), value, `not in valid range [${least}-${most}]`));
    return undefined;
  };
  switch (name) {
    case "NodeResourcesFit":
      return { ...ignoredBy(args), ...fitArgs(args, path, errors) };
    case "NodeAffinity":
      return nodeAffinityArgs(args, path, errors);
    case "NodeResourcesBalancedAllocation": {
      const balancedResources = resourcesOf(args["resources"], child(path, "resources"), errors);
      return balancedResources === undefined ? {} : { balancedResources };
    }
    case "InterPodAffinity": {
      const weight = number("hardPodAffinityWeight", 0, 100);
      return {
        ...(weight === undefined ? {} : { hardPodAffinityWeight: weight }),
        ignorePreferredTermsOfExistingPods: args["ignorePreferredTermsOfExistingPods"] === true,
      };
    }
    case "PodTopologySpread":
      return spreadArgs(args, path, errors);
    case "DefaultPreemption": {
      const percentage = number("minCandidateNodesPercentage", 0, 100);
      const absolute = number("minCandidateNodesAbsolute", 0, Infinity);
      return {
        ...(percentage === undefined ? {} : { minCandidateNodesPercentage: percentage }),
        ...(absolute === undefined ? {} : { minCandidateNodesAbsolute: absolute }),
      };
    }
    default:
      return {};
  }
}
