// What LimitRanges do to what is created: the defaults that they give to containers, and what they refuse. Pure.

import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
} from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { canonicalQuantity, compareQuantities, formatQuantity, parseQuantity } from "#machinery/quantity.ts";
import { amountsOf, podRequests, type Amounts } from "./pod/requests.ts";

type ReadRange = DeepReadonly<LimitRange>;
type ReadItem = DeepReadonly<LimitRangeItem>;
type Values = Readonly<Record<string, string>> | undefined;
const annotation = "kubernetes.io/limit-ranger";

/** Fills in what is not there; the names of what was. A container of a pod that has amounts of its own keeps to those. */
function fill(container: Container, list: "requests" | "limits", values: Values): string[] {
  const added = Object.keys(values ?? {})
    .filter((name) => container.resources?.[list]?.[name] === undefined)
    .sort();
  if (added.length === 0) return added;
  const all: Record<string, string> = { ...container.resources?.[list] };
  for (const name of added) all[name] = values?.[name] ?? "0";
  container.resources = { ...container.resources, [list]: all };
  return added;
}

/** The defaults of a range for containers of a new pod; changes the draft, and says so in an annotation. */
export function applyLimitDefaults(pod: Pod, { spec: range }: ReadRange): void {
  const items = (range?.limits ?? []).filter(({ type }) => type === "Container");
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest)) as Record<string, string>;
  const limits = Object.assign({}, ...items.map((item) => item.default)) as Record<string, string>;
  const told: string[] = [];
  const fillAll = (containers: readonly Container[] | undefined, what: string): void => {
    for (const container of containers ?? []) {
      const asked = fill(container, "requests", requests);
      const limited = fill(container, "limits", limits);
      if (asked.length > 0) told.push(`${asked.join(", ")} request for ${what} ${container.name}`);
      if (limited.length > 0) told.push(`${limited.join(", ")} limit for ${what} ${container.name}`);
    }
  };
  fillAll(pod.spec?.containers, "container");
  fillAll(pod.spec?.initContainers, "init container");
  if (told.length === 0) return;
  const metadata = (pod.metadata ??= {});
  metadata.annotations = {
    ...metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${told.join("; ")}`,
  };
}

interface Amount {
  readonly request: string | undefined;
  readonly limit: string | undefined;
}

const shown = canonicalQuantity;
const isLess = (a: string, b: string): boolean => compareQuantities(a, b) < 0;
const isNothing = (text: string | undefined): boolean =>
  text === undefined || compareQuantities(text, "0") === 0;

function tooLittle(
  type: string,
  name: string,
  least: string,
  { request, limit }: Amount,
): string | undefined {
  const start = `minimum ${name} usage per ${type} is ${shown(least)}`;
  if (request === undefined) return `${start}.  No request is specified`;
  if (isLess(request, least)) return `${start}, but request is ${shown(request)}`;
  return limit !== undefined && isLess(limit, least) ? `${start}, but limit is ${shown(limit)}` : undefined;
}

function tooMuch(type: string, name: string, most: string, { request, limit }: Amount): string | undefined {
  const start = `maximum ${name} usage per ${type} is ${shown(most)}`;
  if (limit === undefined) return `${start}.  No limit is specified`;
  if (isLess(most, limit)) return `${start}, but limit is ${shown(limit)}`;
  return request !== undefined && isLess(most, request)
    ? `${start}, but request is ${shown(request)}`
    : undefined;
}

function tooFar(type: string, name: string, ratio: string, { request, limit }: Amount): string | undefined {
  const start = `${name} max limit to request ratio per ${type} is ${shown(ratio)}`;
  if (request === undefined || isNothing(request))
    return `${start}, but no request is specified or request is 0`;
  if (limit === undefined || isNothing(limit)) return `${start}, but no limit is specified or limit is 0`;
  const found = Number(parseQuantity(limit).nano) / Number(parseQuantity(request).nano);
  const most = Number(parseQuantity(ratio).nano) / 1e9;
  return found > most ? `${start}, but provided ratio is ${found.toFixed(6)}` : undefined;
}

/** All that is wrong by one item of a range. */
function checkItem(item: ReadItem, amountOf: (name: string) => Amount): string[] {
  const { type, min, max, maxLimitRequestRatio } = item;
  const check = (list: Values, one: typeof tooLittle): string[] =>
    Object.entries(list ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, bound]) => one(type, name, bound, amountOf(name)) ?? []);
  return [...check(min, tooLittle), ...check(max, tooMuch), ...check(maxLimitRequestRatio, tooFar)];
}

function textOf(name: string, amount: number | undefined): string | undefined {
  if (amount === undefined) return undefined;
  const nano = BigInt(amount) * (name === "cpu" ? 1_000_000n : 1_000_000_000n);
  const isBinary = name === "memory" || name.includes("storage") || name.startsWith("hugepages-");
  return formatQuantity({ nano, format: isBinary ? "BinarySI" : "DecimalSI" });
}

/** A pod's containers together, or its hungriest init step. */
function wholeOf(spec: DeepReadonly<PodSpec>): (name: string) => Amount {
  const { overhead: _o, resources, ...rest } = spec;
  const sum = (list: "requests" | "limits"): Amounts => ({
    ...podRequests(rest, (container) => amountsOf(container.resources?.[list])),
    ...amountsOf(resources?.[list]),
  });
  const [requests, limits] = [sum("requests"), sum("limits")];
  return (name) => ({ request: textOf(name, requests[name]), limit: textOf(name, limits[name]) });
}

/** Why a pod may not be, as its namespace's range says. */
export function podLimitErrors({ spec }: DeepReadonly<Pod>, range: ReadRange): string[] {
  if (spec === undefined) return [];
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === "Pod") return checkItem(item, wholeOf(spec));
    if (item.type !== "Container") return [];
    return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      checkItem(item, (name) => ({ request: resources?.requests?.[name], limit: resources?.limits?.[name] })),
    );
  });
}

/** The same of a claim: what it asks for is all that it has. */
export function claimLimitErrors({ spec }: DeepReadonly<PersistentVolumeClaim>, range: ReadRange): string[] {
  const requests = spec?.resources?.requests ?? {};
  return (range.spec?.limits ?? [])
    .filter(({ type }) => type === "PersistentVolumeClaim")
    .flatMap(({ type, min, max }) => {
      const errors: string[] = [];
      for (const [name, least] of Object.entries(min ?? {})) {
        const request = requests[name];
        const why = tooLittle(type, name, least, { request, limit: undefined });
        if (why !== undefined) errors.push(why);
      }
      for (const [name, most] of Object.entries(max ?? {})) {
        const request = requests[name];
        const start = `maximum ${name} usage per ${type} is ${shown(most)}`;
        if (request === undefined) errors.push(`${start}.  No request is specified`);
        else if (isLess(most, request)) errors.push(`${start}, but request is ${shown(request)}`);
      }
      return errors;
    });
}
