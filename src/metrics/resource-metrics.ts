// The resource metrics API (metrics.k8s.io): looks at the kubelets' figures for as long as somebody asks for them, and
// answers from the last two looks. At rest it costs nothing.

import type { Clock } from "#base/clock.ts";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import { createClient, resourcePath } from "#client/client.ts";
import { Nodes, Pods } from "#client/refs.ts";
import { collectBody } from "#client/body.ts";
import type { Transport } from "#machinery/api-request.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { notFound } from "#machinery/status.ts";
import type { Component } from "#reconcile/component.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { parseResourceMetrics, type Sample } from "./exposition.ts";
import { nodeMetrics, nodeUsage, podMetrics, type PodUsage, type Usage } from "./usage.ts";

export interface ResourceMetricsDeps {
  /** To the kubelets, through the API server. */
  readonly transport: Transport;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  /** The figures of a node that is in this process and has no server of its own. */
  readonly inProcess?: (node: string) => Promise<string> | undefined;
}

export interface ResourceMetrics extends Component {
  /** NodeMetrics of one node, or of all for "". Throws NotFound for one that is not measured. */
  nodes(name: string): Promise<KubeObject[]>;
  /** PodMetrics of a namespace, or of all for "". Throws NotFound for one pod that is not measured. */
  pods(namespace: string, name: string): Promise<KubeObject[]>;
}

const group = "metrics.k8s.io";
const lookMs = 15_000;
/** Between the first two looks, when somebody asks after a rest. */
const firstLookMs = 1_000;
/** Nobody asks for so long: no more looks. */
const restAfterMs = 2 * 60_000;
const answerMsMax = 5_000;
const inFlightMax = 50;

const isReady = ({ status: of }: DeepReadonly<Node>): boolean =>
  of?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

export function startResourceMetrics(deps: ResourceMetricsDeps): ResourceMetrics {
  return new Metrics(deps);
}

class Metrics implements ResourceMetrics {
  readonly name = "resource-metrics";
  readonly ready = Promise.resolve();
  readonly done: Promise<void>;
  readonly #deps: ResourceMetricsDeps;
  readonly #client;
  readonly #nodeObjects;
  readonly #podObjects;
  readonly #abort = new AbortController();
  readonly #finish: () => void;
  #askedMs = 0;
  /** While somebody asks: resolves when there are two looks. */
  #measured: Promise<void> | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #samples = new Map<string, Sample>();
  readonly #nodes = new Map<string, Usage>();
  /** Namespace → name. */
  readonly #pods = new Map<string, Map<string, PodUsage>>();

  constructor(deps: ResourceMetricsDeps) {
    this.#deps = deps;
    this.#client = createClient(deps.transport, { userAgent: "metrics-server" });
    this.#nodeObjects = deps.informers.informer<Node>(Nodes);
    this.#podObjects = deps.informers.informer<Pod>(Pods);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#looking;
    this.#finish();
  }

  async nodes(name: string): Promise<KubeObject[]> {
    await this.#ask();
    const found: KubeObject[] = [];
    for (const [node, usage] of this.#nodes) {
      if (name !== "" && name !== node) continue;
      const object = this.#nodeObjects.get(node);
      if (object === undefined) continue;
      const { labels } = object.metadata ?? {};
      const named = { name: node, ...(labels === undefined ? {} : { labels }) };
      found.push(nodeMetrics(named, usage, this.#deps.clock.now()) as KubeObject);
    }
    if (name !== "" && found.length === 0) throw notFound({ group, resource: "nodemetrics" }, name);
    return found;
  }

  async pods(namespace: string, name: string): Promise<KubeObject[]> {
    await this.#ask();
    const found: KubeObject[] = [];
    const namespaces = namespace === "" ? this.#pods.keys() : [namespace];
    for (const one of namespaces)
      for (const [pod, usage] of this.#pods.get(one) ?? []) {
        if (name !== "" && name !== pod) continue;
        const object = this.#podObjects.get(`${one}/${pod}`);
        if (object === undefined) continue;
        const { labels } = object.metadata ?? {};
        const named = { name: pod, namespace: one, ...(labels === undefined ? {} : { labels }) };
        found.push(podMetrics(named, usage, this.#deps.clock.now()) as KubeObject);
      }
    if (name !== "" && found.length === 0)
      throw notFound({ group, resource: "podmetrics" }, `${namespace}/${name}`);
    return found;
  }

  #ask(): Promise<void> {
    this.#askedMs = this.#deps.clock.now();
    if (this.#measured === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#measured = promise;
      this.#looking = this.#run(resolve);
    }
    return this.#measured;
  }

  async #run(measured: () => void): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#abort;
    try {
      await Promise.all([this.#nodeObjects.waitForSync(), this.#podObjects.waitForSync()]);
      await this.#look();
      await clock.sleep(firstLookMs, signal);
      await this.#look();
      measured();
      while (!signal.aborted && clock.now() - this.#askedMs < restAfterMs) {
        await clock.sleep(lookMs, signal);
        await this.#look();
      }
    } catch (error) {
      if (!signal.aborted) this.#deps.log.error("kubelets' figures are not read", { error: toError(error) });
    } finally {
      measured();
      this.#measured = undefined;
      this.#samples.clear();
      this.#nodes.clear();
      this.#pods.clear();
    }
  }

  async #look(): Promise<void> {
    const names = new Set<string>();
    for (const node of this.#nodeObjects.list()) if (isReady(node)) names.add(node.metadata?.name ?? "");
    for (const name of this.#samples.keys()) if (!names.has(name)) this.#forget(name);
    const waiting = names.values();
    await Promise.all(
      Array.from({ length: inFlightMax }, async () => {
        for (const name of waiting) await this.#lookAt(name);
      }),
    );
  }

  async #lookAt(name: string): Promise<void> {
    try {
      const now = parseResourceMetrics(await this.#read(name));
      const before = this.#samples.get(name);
      const usage = nodeUsage(before, now);
      this.#forget(name);
      this.#samples.set(name, now);
      if (usage.node !== undefined) this.#nodes.set(name, usage.node);
      for (const [key, pod] of usage.pods) {
        const [namespace = "", podName = ""] = key.split("/");
        const pods = this.#pods.get(namespace) ?? new Map<string, PodUsage>();
        this.#pods.set(namespace, pods.set(podName, pod));
      }
    } catch (error) {
      this.#forget(name);
      if (!this.#abort.signal.aborted)
        this.#deps.log.debug("a kubelet's figures were not read", { node: name, error: toError(error) });
    }
  }

  /** What a node said last, and what followed from it. */
  #forget(name: string): void {
    for (const key of this.#samples.get(name)?.pods.keys() ?? []) {
      const [namespace = "", pod = ""] = key.split("/");
      const pods = this.#pods.get(namespace);
      pods?.delete(pod);
      if (pods?.size === 0) this.#pods.delete(namespace);
    }
    this.#samples.delete(name);
    this.#nodes.delete(name);
  }

  async #read(name: string): Promise<string> {
    const own = this.#deps.inProcess?.(name);
    if (own !== undefined) return own;
    const late = new AbortController();
    const timer = this.#deps.clock.after(answerMsMax, () => late.abort());
    try {
      const { status, body } = await this.#client.raw({
        method: "GET",
        path: `${resourcePath(Nodes, "", name, "proxy")}/metrics/resource`,
        signal: AbortSignal.any([this.#abort.signal, late.signal]),
      });
      const text = (await collectBody(body)).toString();
      if (status !== 200) throw new Error(`it answered ${status}: ${text}`);
      return text;
    } finally {
      timer.cancel();
    }
  }
}
