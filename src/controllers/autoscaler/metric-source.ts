// Where metrics are read: the resource, custom and external metrics APIs, whoever serves them. What cannot be read comes
// back as text, since an autoscaler goes on with its other metrics.

import { toError } from "#base/assert.ts";
import type { Client } from "#client/client.ts";
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
} from "#machinery/gen/types/autoscaling-v2.ts";
import type { PodMetrics } from "#machinery/gen/types/metrics-v1beta1.ts";
import { parseApiVersion, type DeepReadonly } from "#machinery/meta.ts";
import { quantityMilli } from "#machinery/quantity.ts";
import { formatSelector, selectorFromObject } from "#machinery/selectors.ts";
import { ApiError } from "#machinery/status.ts";
import { usageOf, type Measured } from "./pod-metrics.ts";

type ReadSpec = DeepReadonly<MetricSpec>;
type Identifier = DeepReadonly<MetricIdentifier>;

/** What was read for one metric of an autoscaler. */
export type Reading =
  | { readonly kind: "pods"; readonly measured: Measured }
  | { readonly kind: "values"; readonly milli: readonly number[] }
  | { readonly kind: "failed"; readonly error: string };

export interface Target {
  readonly namespace: string;
  /** Of the pods that are scaled. */
  readonly selector: string;
  /** Which resource the described object of a metric is, such as `ingresses.networking.k8s.io`. */
  readonly resourceOf: (object: DeepReadonly<CrossVersionObjectReference>) => Promise<string>;
}

/** An item of custom and of external metrics. */
interface Value {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly value?: string;
}

/** Custom metrics without a window are of so long. */
const customWindowMs = 60_000;

const query = (parameters: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "")).toString();
  return text === "" ? "" : `?${text}`;
};
const labelsOf = ({ selector }: Identifier): string => formatSelector(selectorFromObject(selector) ?? []);

/** As clients of the API tell of an answer that says nothing more. */
function problem(error: unknown, verb: string, resource: string): string {
  if (error instanceof ApiError && error.code === 404)
    return `the server could not find the requested resource (${verb} ${resource})`;
  return toError(error).message;
}

export async function readMetric(client: Client, spec: ReadSpec, target: Target): Promise<Reading> {
  try {
    const { resource, containerResource, pods, object, external } = spec;
    if (resource !== undefined) return await readResource(client, target, resource.name);
    if (containerResource !== undefined)
      return await readResource(client, target, containerResource.name, containerResource.container);
    if (pods !== undefined) return await readPods(client, target, pods.metric);
    if (object !== undefined) return await readObject(client, target, object.metric, object.describedObject);
    if (external !== undefined) return await readExternal(client, target, external.metric);
    return { kind: "failed", error: `unknown metric source type ${JSON.stringify(spec.type)}` };
  } catch (thrown) {
    return { kind: "failed", error: toError(thrown).message };
  }
}

async function readResource(
  client: Client,
  { namespace, selector }: Target,
  resource: string,
  container?: string,
): Promise<Reading> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/pods`;
  let items: readonly PodMetrics[];
  try {
    const list = await client.json<{ items?: PodMetrics[] }>(
      "GET",
      path + query({ labelSelector: selector }),
    );
    items = list.items ?? [];
  } catch (thrown) {
    const why = problem(thrown, "get", "pods.metrics.k8s.io");
    throw new Error(
      `unable to get metrics for resource ${resource}: unable to fetch metrics from resource metrics API: ${why}`,
      { cause: thrown },
    );
  }
  if (items.length === 0)
    throw new Error(
      `unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`,
    );
  return { kind: "pods", measured: usageOf(items, resource, container) };
}

/** The custom metrics API in the version that its server prefers. */
async function customVersion(client: Client): Promise<string> {
  const group = await client.json<{ preferredVersion?: { groupVersion?: string } }>(
    "GET",
    "/apis/custom.metrics.k8s.io",
  );
  return group.preferredVersion?.groupVersion ?? "custom.metrics.k8s.io/v1beta2";
}

async function customValues(
  client: Client,
  path: string,
  metric: Identifier,
  selector = "",
): Promise<Value[]> {
  const parameters = { labelSelector: selector, metricLabelSelector: labelsOf(metric) };
  try {
    const list = await client.json<{ items?: Value[] }>(
      "GET",
      `/apis/${await customVersion(client)}/${path}${query(parameters)}`,
    );
    return list.items ?? [];
  } catch (thrown) {
    const why = problem(thrown, "get", "custom.metrics.k8s.io");
    throw new Error(`unable to fetch metrics from custom metrics API: ${why}`, { cause: thrown });
  }
}

async function readPods(
  client: Client,
  { namespace, selector }: Target,
  metric: Identifier,
): Promise<Reading> {
  const failed = (why: string): Error => new Error(`unable to get metric ${metric.name}: ${why}`);
  const path = `namespaces/${encodeURIComponent(namespace)}/pods/*/${encodeURIComponent(metric.name)}`;
  const values = await customValues(client, path, metric, selector).catch((thrown: unknown) => {
    throw failed(toError(thrown).message);
  });
  if (values.length === 0) throw failed("no metrics returned from custom metrics API");
  const measured = new Map(
    values.map(({ describedObject, timestamp, windowSeconds, value = "0" }) => [
      describedObject?.name ?? "",
      {
        milli: quantityMilli(value),
        atMs: Date.parse(timestamp ?? ""),
        windowMs: windowSeconds === undefined ? customWindowMs : windowSeconds * 1000,
      },
    ]),
  );
  return { kind: "pods", measured };
}

async function readObject(
  client: Client,
  { namespace, resourceOf }: Target,
  metric: Identifier,
  object: DeepReadonly<CrossVersionObjectReference>,
): Promise<Reading> {
  const { kind, name, apiVersion = "v1" } = object;
  const isNamespace = kind === "Namespace" && parseApiVersion(apiVersion).group === "";
  const encoded = encodeURIComponent(metric.name);
  try {
    const path = isNamespace
      ? `namespaces/${encodeURIComponent(name)}/metrics/${encoded}`
      : `namespaces/${encodeURIComponent(namespace)}/${await resourceOf(object)}/${encodeURIComponent(name)}/${encoded}`;
    const values = await customValues(client, path, metric);
    if (values.length === 0) throw new Error("no metrics returned from custom metrics API");
    return { kind: "values", milli: values.slice(0, 1).map(({ value = "0" }) => quantityMilli(value)) };
  } catch (thrown) {
    throw new Error(
      `unable to get metric ${metric.name}: ${kind} on ${namespace} ${name}/${toError(thrown).message}`,
      { cause: thrown },
    );
  }
}

async function readExternal(client: Client, { namespace }: Target, metric: Identifier): Promise<Reading> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(metric.name)}`;
  const failed = (why: string): Error =>
    new Error(`unable to get external metric ${namespace}/${metric.name}/${goSelector(metric)}: ${why}`);
  let values: Value[];
  try {
    const list = await client.json<{ items?: Value[] }>(
      "GET",
      path + query({ labelSelector: labelsOf(metric) }),
    );
    values = list.items ?? [];
  } catch (thrown) {
    const why = problem(thrown, "get", `${metric.name}.external.metrics.k8s.io`);
    throw failed(`unable to fetch metrics from external metrics API: ${why}`);
  }
  if (values.length === 0) throw failed("no metrics returned from external metrics API");
  return { kind: "values", milli: values.map(({ value = "0" }) => quantityMilli(value)) };
}

/** A label selector as messages show it. */
export function goSelector({ selector }: Identifier): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = labels.map(([key, value]) => `${key}: ${value},`).join("");
  const expressions = (selector.matchExpressions ?? [])
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
    )
    .join("");
  return `&LabelSelector{MatchLabels:map[string]string{${shown}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}
