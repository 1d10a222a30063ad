// KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): profiles, plug-ins on and off, weights and arguments, and
// the scheduler's own settings. Pure: an object in, options out; what is not known is an error with its path.

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
import { extendersOf, type ExtenderSettings } from "./extender-config.ts";
import {
  defaultProfile,
  defaultWeights,
  scoreNames,
  staticFiltersOf,
  type Profile,
  type ResourceWeight,
  type ScoreName,
} from "./plan/profile.ts";
import { filterNames, type FilterName } from "./plan/refusal.ts";
import type { SchedulerOptions } from "./scheduler.ts";

interface PluginRef {
  readonly name?: string;
  readonly weight?: number;
}
interface PluginSet {
  readonly enabled?: readonly PluginRef[];
  readonly disabled?: readonly PluginRef[];
}
type Args = Readonly<Record<string, unknown>>;
interface ProfileConfig {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: Readonly<Record<string, PluginSet>>;
  readonly pluginConfig?: readonly { readonly name?: string; readonly args?: Args }[];
}
export interface SchedulerConfiguration {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly profiles?: readonly ProfileConfig[];
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number;
  readonly podMaxBackoffSeconds?: number;
  readonly extenders?: readonly ExtenderSettings[];
}

const apiVersion = "kubescheduler.config.k8s.io/v1";
const weightMax = 100;
/** Extension points at which there is nothing to choose here: naming them changes nothing. */
const otherPoints = [
  "preEnqueue",
  "queueSort",
  "preFilter",
  "postFilter",
  "preScore",
  "reserve",
  "permit",
  "preBind",
  "bind",
  "postBind",
];
const points = ["multiPoint", "filter", "score", ...otherPoints];
const alwaysThere = ["PrioritySort", "DefaultBinder", "DefaultPreemption", "SchedulingGates"];
const ofVolumes = [
  "VolumeRestrictions",
  "NodeVolumeLimits",
  "VolumeBinding",
  "VolumeZone",
  "DynamicResources",
];
const known: readonly string[] = [
  ...new Set([...filterNames, ...scoreNames, ...alwaysThere, ...ofVolumes]),
].sort();

interface Chosen {
  readonly filters: Set<FilterName>;
  readonly weights: Map<ScoreName, number>;
  preempts: boolean;
}

const isFilter = (name: string): name is FilterName => (filterNames as readonly string[]).includes(name);
const isScore = (name: string): name is ScoreName => (scoreNames as readonly string[]).includes(name);

function disable(chosen: Chosen, point: string, name: string): void {
  const { filters, weights } = chosen;
  const hits = (one: string): boolean => name === "*" || name === one;
  if (point === "multiPoint" || point === "filter")
    for (const one of [...filters]) if (hits(one)) filters.delete(one);
  if (point === "multiPoint" || point === "score")
    for (const one of [...weights.keys()]) if (hits(one)) weights.delete(one);
  if ((point === "multiPoint" || point === "postFilter") && hits("DefaultPreemption"))
    chosen.preempts = false;
}

function enable(chosen: Chosen, point: string, { name = "", weight = 0 }: PluginRef): void {
  if ((point === "multiPoint" || point === "filter") && isFilter(name)) chosen.filters.add(name);
  if ((point === "multiPoint" || point === "score") && isScore(name))
    chosen.weights.set(name, weight || defaultWeights.get(name) || 1);
  if (name === "DefaultPreemption") chosen.preempts = true;
}

function pluginsOf(sets: Readonly<Record<string, PluginSet>>, path: string, errors: FieldError[]): Chosen {
  const chosen: Chosen = {
    filters: new Set(filterNames),
    weights: new Map(defaultWeights),
    preempts: true,
  };
  for (const [point, { enabled = [], disabled = [] }] of Object.entries(sets)) {
    const at = child(path, point);
    if (!points.includes(point)) errors.push(notSupported(at, point, points));
    for (const [n, { name = "" }] of disabled.entries()) {
      if (name !== "*" && !known.includes(name))
        errors.push(notSupported(child(index(child(at, "disabled"), n), "name"), name, known));
      disable(chosen, point, name);
    }
    for (const [n, plugin] of enabled.entries()) {
      const own = index(child(at, "enabled"), n);
      const { name = "", weight = 0 } = plugin;
      if (!known.includes(name)) errors.push(notSupported(child(own, "name"), name, known));
      if (weight < 0 || weight > weightMax)
        errors.push(invalid(child(own, "weight"), weight, `must be between 0 and ${weightMax}`));
      enable(chosen, point, plugin);
    }
  }
  return chosen;
}

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

type Settings = Partial<{ -readonly [K in keyof Profile]: Profile[K] }>;

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

function settingsOf(name: string, args: Args, path: string, errors: FieldError[]): Settings {
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
      if (!known.includes(name))
        errors.push(notSupported(child(path.replace(/\.args$/, ""), "name"), name, known));
      return {};
  }
}

function profileOf(config: ProfileConfig, path: string, percentage: number, errors: FieldError[]): Profile {
  const { filters, weights, preempts } = pluginsOf(config.plugins ?? {}, child(path, "plugins"), errors);
  const settings = (config.pluginConfig ?? []).map(({ name = "", args = {} }, at) =>
    settingsOf(name, args, child(index(child(path, "pluginConfig"), at), "args"), errors),
  );
  return {
    ...defaultProfile,
    schedulerName: config.schedulerName ?? "default-scheduler",
    filters,
    staticFilters: staticFiltersOf(filters),
    checksRoom: filters.has("NodeResourcesFit"),
    weights,
    preempts,
    percentageOfNodesToScore: config.percentageOfNodesToScore ?? percentage,
    ...Object.assign({}, ...settings),
  };
}

export interface ConfigurationResult {
  readonly options: SchedulerOptions;
  readonly errors: readonly FieldError[];
}

export function schedulerOptions(config: SchedulerConfiguration): ConfigurationResult {
  const errors: FieldError[] = [];
  if (config.apiVersion !== apiVersion)
    errors.push(notSupported("apiVersion", config.apiVersion ?? "", [apiVersion]));
  if (config.kind !== "KubeSchedulerConfiguration")
    errors.push(notSupported("kind", config.kind ?? "", ["KubeSchedulerConfiguration"]));
  const { extenders, ignoredResources } = extendersOf(config.extenders ?? [], errors);
  const percentage = config.percentageOfNodesToScore ?? 0;
  if (percentage < 0 || percentage > 100)
    errors.push(invalid("percentageOfNodesToScore", percentage, "not in valid range [0-100]"));
  const { podInitialBackoffSeconds: initial = 1, podMaxBackoffSeconds: most = 10 } = config;
  if (initial <= 0) errors.push(invalid("podInitialBackoffSeconds", initial, "must be greater than 0"));
  if (most < initial)
    errors.push(
      invalid("podMaxBackoffSeconds", most, "must be greater than or equal to PodInitialBackoffSeconds"),
    );
  const given = config.profiles ?? [{}];
  const profiles = given.map((one, at) => {
    const profile = profileOf(one, index("profiles", at), percentage, errors);
    if (ignoredResources.length === 0) return profile;
    return { ...profile, ignoredResources: new Set([...profile.ignoredResources, ...ignoredResources]) };
  });
  for (const [at, { schedulerName }] of profiles.entries())
    if (profiles.findIndex((one) => one.schedulerName === schedulerName) < at)
      errors.push(duplicate(child(index("profiles", at), "schedulerName"), schedulerName));
  const podBackoff = { initialMs: initial * 1000, maxMs: most * 1000 };
  return { options: { profiles, podBackoff, extenders }, errors };
}
