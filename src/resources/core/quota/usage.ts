// What an object counts for in a quota: pods by what they ask for, Services by their ports, claims by their storage, and
// everything by being there. Pure.

import type { PersistentVolumeClaim, Pod, PodSpec, Service } from "#machinery/gen/types/core-v1.ts";
import type { ResourceClaim } from "#machinery/gen/types/resource-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { compareQuantities, parseQuantity, type Quantity } from "#machinery/quantity.ts";
import { amountsOf, podRequests, type Amounts } from "../pod/requests.ts";
import { whole, type AmountsByName } from "./amounts.ts";

export interface Subject {
  readonly group: string;
  readonly resource: string;
}

type Read<T> = DeepReadonly<T>;

const isCore = ({ group, resource }: Subject, name: string): boolean => group === "" && resource === name;

export const isPods = (subject: Subject): boolean => isCore(subject, "pods");
export const isServices = (subject: Subject): boolean => isCore(subject, "services");
export const isDeviceClaims = ({ group, resource }: Subject): boolean =>
  group === "resource.k8s.io" && resource === "resourceclaims";
export const isClaims = (subject: Subject): boolean => isCore(subject, "persistentvolumeclaims");

/** The name under which the objects of any resource are counted. */
export const countName = ({ group, resource }: Subject): string =>
  group === "" ? `count/${resource}` : `count/${resource}.${group}`;

/** Core resources that have a count by their own name, too. */
const plainCounts: ReadonlySet<string> = new Set([
  "configmaps",
  "secrets",
  "replicationcontrollers",
  "resourcequotas",
]);
const computed: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);
const hugePages = "hugepages-";
const classInfix = ".storageclass.storage.k8s.io/";
const devicesSuffix = ".deviceclass.resource.k8s.io/devices";
/** A request for all devices may get so many. */
const devicesMax = 32;

/** Whether the usage of such objects says something of a name in a quota. */
export function countsTowards(subject: Subject, name: string): boolean {
  if (name === countName(subject)) return true;
  if (isPods(subject)) {
    const bare = name.replace(/^(?:requests|limits)\./, "");
    if (name === "pods" || computed.has(bare)) return true;
    if (name.startsWith("limits.")) return false;
    return bare.startsWith(hugePages) || (name !== bare && bare.includes("/"));
  }
  if (isServices(subject)) return name === "services" || name.startsWith("services.");
  if (isClaims(subject))
    return name === "persistentvolumeclaims" || name === "requests.storage" || name.includes(classInfix);
  if (isDeviceClaims(subject)) return name.endsWith(devicesSuffix);
  return subject.group === "" && plainCounts.has(name) && name === subject.resource;
}

/** Finished pods, and those whose time to end is over, use nothing any more. */
function isOver({ metadata, status }: Read<Pod>, nowMs: number): boolean {
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

/** Amounts are shown as the first container that names them writes them. */
function quantity(spec: Read<PodSpec>, resource: string, amount: number): Quantity {
  if (resource === "cpu") return { nano: BigInt(amount) * 1_000_000n, format: "DecimalSI" };
  for (const { resources } of [spec, ...spec.containers, ...(spec.initContainers ?? [])]) {
    const text = resources?.requests?.[resource] ?? resources?.limits?.[resource];
    if (text !== undefined)
      return { nano: BigInt(amount) * 1_000_000_000n, format: parseQuantity(text).format };
  }
  return whole(amount);
}

function podLimits(spec: Read<PodSpec>): Amounts {
  const { overhead, resources, ...rest } = spec;
  const limits = {
    ...podRequests(rest, ({ resources: own }) => amountsOf(own?.limits)),
    ...amountsOf(resources?.limits),
  };
  for (const [name, amount] of Object.entries(amountsOf(overhead)))
    if (limits[name] !== undefined) limits[name] += amount;
  return limits;
}

/** Requests and limits of a pod by the names that quotas have for them. */
export function computeUsage(spec: Read<PodSpec>): Map<string, Quantity> {
  const usage = new Map<string, Quantity>();
  for (const [name, amount] of Object.entries(podRequests(spec))) {
    const asked = quantity(spec, name, amount);
    if (computed.has(name) || name.startsWith(hugePages)) usage.set(name, asked);
    if (usage.has(name) || name.includes("/")) usage.set(`requests.${name}`, asked);
  }
  for (const [name, amount] of Object.entries(podLimits(spec)))
    if (computed.has(name)) usage.set(`limits.${name}`, quantity(spec, name, amount));
  return usage;
}

function podUsage(pod: Read<Pod>, nowMs: number): Map<string, Quantity> {
  const usage =
    isOver(pod, nowMs) || pod.spec === undefined ? new Map<string, Quantity>() : computeUsage(pod.spec);
  if (!isOver(pod, nowMs)) usage.set("pods", whole(1));
  return usage;
}

function serviceUsage({ spec }: Read<Service>): Map<string, Quantity> {
  const ports = spec?.ports ?? [];
  let nodePorts = 0;
  if (spec?.type === "NodePort") nodePorts = ports.length;
  if (spec?.type === "LoadBalancer")
    nodePorts =
      spec.allocateLoadBalancerNodePorts === false
        ? ports.filter(({ nodePort = 0 }) => nodePort !== 0).length
        : ports.length;
  return new Map([
    ["services", whole(1)],
    ["services.nodeports", whole(nodePorts)],
    ["services.loadbalancers", whole(spec?.type === "LoadBalancer" ? 1 : 0)],
  ]);
}

function claimUsage({ metadata, spec, status }: Read<PersistentVolumeClaim>): Map<string, Quantity> {
  const usage = new Map([["persistentvolumeclaims", whole(1)]]);
  const named =
    metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName ?? "";
  const prefix = `${named}${classInfix}`;
  if (named !== "") usage.set(`${prefix}persistentvolumeclaims`, whole(1));
  const asked = spec?.resources?.requests?.["storage"];
  if (asked === undefined) return usage;
  const given = status?.allocatedResources?.["storage"];
  const counted = parseQuantity(given !== undefined && compareQuantities(given, asked) > 0 ? given : asked);
  usage.set("requests.storage", counted);
  if (named !== "") usage.set(`${prefix}requests.storage`, counted);
  return usage;
}

/** Devices by class; of several that would do, as many as the greediest asks for. */
function deviceUsage({ spec }: Read<ResourceClaim>): Map<string, Quantity> {
  const total = new Map<string, number>();
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const one of exactly === undefined ? firstAvailable : [exactly]) {
      const name = `${one.deviceClassName ?? ""}${devicesSuffix}`;
      const count = one.allocationMode === "All" ? devicesMax : (one.count ?? 1);
      most.set(name, Math.max(most.get(name) ?? 0, Number(count)));
    }
    for (const [name, count] of most) total.set(name, (total.get(name) ?? 0) + count);
  }
  return new Map([...total].map(([name, count]) => [name, whole(count)]));
}

export function quotaUsage(subject: Subject, object: Read<KubeObject>, nowMs: number): AmountsByName {
  let usage = new Map<string, Quantity>();
  if (isPods(subject)) usage = podUsage(object as Read<Pod>, nowMs);
  else if (isServices(subject)) usage = serviceUsage(object as Read<Service>);
  else if (isClaims(subject)) usage = claimUsage(object as Read<PersistentVolumeClaim>);
  else if (isDeviceClaims(subject)) usage = deviceUsage(object as Read<ResourceClaim>);
  else if (subject.group === "" && plainCounts.has(subject.resource)) usage.set(subject.resource, whole(1));
  usage.set(countName(subject), whole(1));
  return usage;
}

/** A quota of these makes every container say how much. */
const mustBeSaid = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/** What containers of the pod leave open that the quota must know: `limits.cpu for: a,b`. */
export function unsaidAmounts({ spec }: Read<Pod>, names: Iterable<string>): string[] {
  const asked = [...names].filter((name) => mustBeSaid.includes(name)).sort();
  if (spec === undefined || asked.length === 0) return [];
  const { containers, initContainers = [], resources } = spec;
  const whole = computeUsage({ containers: [], ...(resources === undefined ? {} : { resources }) });
  const said = [...containers, ...initContainers].map((one) => ({
    name: one.name,
    usage: computeUsage({ containers: [one] }),
  }));
  return asked.flatMap((name) => {
    if (whole.has(name)) return [];
    const silent = said.filter(({ usage }) => !usage.has(name)).map((one) => one.name);
    return silent.length === 0 ? [] : [`${name} for: ${silent.sort().join(",")}`];
  });
}
