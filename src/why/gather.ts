// Gathers through the API what explanations need. Whatever may not be read is left out.

import type { Client, ResourceRef } from "#client/client.ts";
import {
  CronJobs,
  DaemonSets,
  Deployments,
  Events,
  Jobs,
  Nodes,
  PersistentVolumeClaims,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  Services,
  StatefulSets,
} from "#client/refs.ts";
import type { Event, Node, PersistentVolumeClaim, Pod, Service } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, type KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import type { Evidence, Subject } from "./evidence.ts";

/** By every name that kubectl takes for them. */
const kinds: readonly (readonly [names: readonly string[], ref: ResourceRef])[] = [
  [["pod", "pods", "po"], Pods],
  [["deployment", "deployments", "deploy"], Deployments],
  [["replicaset", "replicasets", "rs"], ReplicaSets],
  [["statefulset", "statefulsets", "sts"], StatefulSets],
  [["daemonset", "daemonsets", "ds"], DaemonSets],
  [["job", "jobs"], Jobs],
  [["cronjob", "cronjobs", "cj"], CronJobs],
  [["replicationcontroller", "replicationcontrollers", "rc"], ReplicationControllers],
  [["service", "services", "svc"], Services],
];

/** `deploy/web`, or `pod web-1` as two words. Throws on what is neither. */
export function targetOf(words: readonly string[]): { ref: ResourceRef; name: string } {
  const [first = "", second] = words;
  const [kind = "", name = ""] = second === undefined ? first.split("/") : [first, second];
  const ref = kinds.find(([names]) => names.includes(kind.toLowerCase()))?.[1];
  if (ref === undefined || name === "")
    throw new Error(`say what: KIND/NAME, where KIND is one of ${kinds.map(([[one]]) => one).join(", ")}`);
  return { ref, name };
}

async function readable<T extends KubeObject>(
  client: Client,
  ref: ResourceRef,
  namespace?: string,
): Promise<T[]> {
  try {
    return (await client.list<T>(ref, namespace === undefined ? {} : { namespace })).items;
  } catch (thrown) {
    // Not everybody may read nodes, or a kind may not be served: what is left still says something.
    if (thrown instanceof ApiError && (thrown.code === 403 || thrown.code === 404)) return [];
    throw thrown;
  }
}

/** Everything below an owner, by the controllers that objects name. */
function below<T extends KubeObject>(owners: ReadonlySet<string>, objects: readonly T[]): T[] {
  return objects.filter((object) => owners.has(controllerOf(object)?.uid ?? ""));
}

const uidsOf = (objects: readonly KubeObject[]): Set<string> =>
  new Set(objects.map(({ metadata }) => metadata?.uid ?? ""));

export async function gather(
  client: Client,
  ref: ResourceRef,
  namespace: string,
  name: string,
): Promise<Evidence> {
  const found = await client.get<Subject>(ref, namespace, name);
  const subject = { ...found, kind: ref.kind };
  const [allPods, sets, jobs, allEvents, nodes, claims] = await Promise.all([
    readable<Pod>(client, Pods, namespace),
    readable<Subject>(client, ReplicaSets, namespace),
    readable<Subject>(client, Jobs, namespace),
    readable<Event>(client, Events, namespace),
    readable<Node>(client, Nodes),
    readable<PersistentVolumeClaim>(client, PersistentVolumeClaims, namespace),
  ]);
  const own = uidsOf([subject]);
  const between = [...below(own, sets), ...below(own, jobs)];
  const owner = controllerOf(subject)?.uid;
  const above = [...sets, ...jobs].filter(({ metadata }) => metadata?.uid === owner);
  const pods =
    ref === Pods ? [found as unknown as Pod] : below(new Set([...own, ...uidsOf(between)]), allPods);
  const concerned = new Set([subject, ...between, ...above, ...pods].map(({ metadata }) => metadata?.uid));
  const names = new Set([subject, ...between, ...pods].map(({ metadata }) => metadata?.name));
  const events = allEvents.filter(
    ({ involvedObject }) => concerned.has(involvedObject?.uid) || names.has(involvedObject?.name),
  );
  const service =
    ref === Services ? { service: { object: found as unknown as Service, candidates: allPods } } : {};
  return { subject, related: [...above, ...between], pods, events, nodes, claims, ...service };
}
