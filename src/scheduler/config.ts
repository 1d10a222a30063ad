// KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): profiles, plug-ins on and off, weights and arguments, and
// the scheduler's own settings. Pure: an object in, options out; what is not known is an error with its path.

import { child, duplicate, index, invalid, notSupported, type FieldError } from "#machinery/field-error.ts";
import { settingsOf, type Args, type Settings } from "./plugin-args.ts";
import { extendersOf, type ExtenderSettings } from "./extender-config.ts";
import {
  defaultProfile,
  defaultWeights,
  scoreNames,
  staticFiltersOf,
  type Profile,
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

function profileOf(config: ProfileConfig, path: string, percentage: number, errors: FieldError[]): Profile {
  const { filters, weights, preempts } = pluginsOf(config.plugins ?? {}, child(path, "plugins"), errors);
  const settings = (config.pluginConfig ?? []).map(({ name = "", args = {} }, at) => {
    const own = index(child(path, "pluginConfig"), at);
    if (!known.includes(name)) errors.push(notSupported(child(own, "name"), name, known));
    return settingsOf(name, args, child(own, "args"), errors);
  });
  const { addedNodes, ...given }: Settings = Object.assign({}, ...settings);
  return {
    ...defaultProfile,
    schedulerName: config.schedulerName ?? "default-scheduler",
    filters,
    staticFilters: staticFiltersOf(filters, addedNodes),
    checksRoom: filters.has("NodeResourcesFit"),
    weights,
    preempts,
    percentageOfNodesToScore: config.percentageOfNodesToScore ?? percentage,
    ...given,
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
