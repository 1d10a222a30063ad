// Scales whatever has a scale by what its pods, or other things, are measured to do; how is decided in autoscaler/.
// Watches: horizontalpodautoscalers, pods (by namespace).  Owns: nothing.
// Writes: the scale of its targets, horizontalpodautoscalers/status.
// Why run(): the scale and the metrics are of the moment and come from other APIs at each pass; caches have neither.

import { toError } from "#base/assert.ts";
import { timestamp, type Clock } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { HorizontalPodAutoscalers, Pods } from "#client/refs.ts";
import { isDeepStrictEqual } from "node:util";
import type { Scale } from "#machinery/gen/types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
} from "#machinery/gen/types/autoscaling-v2.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { groupResource, objectKey } from "#machinery/meta.ts";
import { formatSelector, matches, parseSelector, type Selector } from "#machinery/selectors.ts";
import { referenceTo, statusAction, type Action } from "#reconcile/action.ts";
import {
  defineController,
  watching,
  type ControllerDefinition,
  type RunContext,
} from "#reconcile/controller.ts";
import { noMemory, remember, type Memory } from "./autoscaler/behavior.ts";
import {
  decide,
  needsMetrics,
  setCondition,
  type Decision,
  type ReadAutoscaler,
  type Said,
  type Settings,
} from "./autoscaler/decide.ts";
import { readMetric, type Reading } from "./autoscaler/metric-source.ts";
import { Kinds } from "./served-kinds.ts";
import type { ReadPod } from "./pod-state.ts";

/** As the flags `--horizontal-pod-autoscaler-…` name them. */
export interface AutoscalerOptions {
  readonly autoscalerSyncPeriodMs?: number;
  readonly autoscalerDownscaleStabilizationMs?: number;
  readonly autoscalerTolerance?: number;
  readonly autoscalerCpuInitializationPeriodMs?: number;
  readonly autoscalerInitialReadinessDelayMs?: number;
}

interface Input {
  readonly key: string;
  readonly autoscaler: ReadAutoscaler;
  /** The pods of a namespace; asked for when the selector is known. */
  readonly podsOf: (namespace: string) => readonly ReadPod[];
}

type Conditions = HorizontalPodAutoscalerCondition[];

interface Found {
  readonly ref: ResourceRef;
  readonly scale: Scale;
}

/** What one controller process knows of its autoscalers; as much as there are autoscalers. */
class Autoscalers {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #memories = new Map<string, Memory>();
  /** The selectors of their targets, to see that no two have the same pods. */
  readonly #selectors = new Map<string, Selector>();
  #kinds: Kinds | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  forget(key: string): void {
    this.#memories.delete(key);
    this.#selectors.delete(key);
  }

  async run({ key, autoscaler, podsOf }: Input, io: RunContext): Promise<void> {
    const kinds = (this.#kinds ??= new Kinds(io.client, this.#clock));
    const namespace = autoscaler.metadata?.namespace ?? "";
    let found: Found;
    try {
      found = await scaleOf(io.client, kinds, autoscaler);
    } catch (thrown) {
      const { message } = toError(thrown);
      await this.#fail(io, autoscaler, { type: "AbleToScale", reason: "FailedGetScale" }, [
        `the HPA controller was unable to get the target's current scale: ${message}`,
        message,
      ]);
      return;
    }
    const currentReplicas = found.scale.spec?.replicas ?? 0;
    const isRead = needsMetrics(autoscaler, currentReplicas);
    const selectorText = found.scale.status?.selector ?? "";
    if (isRead && selectorText === "") {
      const message = "the HPA target's scale is missing a selector";
      await this.#fail(io, autoscaler, { type: "ScalingActive", reason: "InvalidSelector" }, [
        message,
        "selector is required",
      ]);
      return;
    }
    const selector = parseSelector(selectorText);
    const pods = podsOf(namespace).filter((pod) => matches(selector, pod.metadata?.labels));
    const rivals = this.#rivals(key, selector, pods);
    if (isRead && rivals.length > 0) {
      const message = `pods by selector ${selectorText} are controlled by multiple HPAs: [${rivals.join(" ")}]`;
      await this.#fail(io, autoscaler, { type: "ScalingActive", reason: "AmbiguousSelector" }, [
        message,
        message,
      ]);
      return;
    }
    const resourceOf = async (object: { kind: string; apiVersion?: string }): Promise<string> =>
      groupResource(await kinds.resourceOf(object));
    const target = { namespace, selector: formatSelector(selector), resourceOf };
    const readings: Reading[] = [];
    if (isRead)
      for (const spec of autoscaler.spec?.metrics ?? [])
        readings.push(await readMetric(io.client, spec, target));
    const decision = decide({
      autoscaler,
      currentReplicas,
      statusReplicas: found.scale.status?.replicas ?? 0,
      pods,
      readings,
      memory: this.#memories.get(key) ?? noMemory,
      settings: this.#settings,
      nowMs: io.nowMs,
    });
    this.#memories.set(key, decision.memory);
    await this.#act(io, { key, autoscaler, found, decision });
  }

  /** Other autoscalers of the namespace whose targets have some of the same pods. */
  #rivals(key: string, selector: Selector, pods: readonly ReadPod[]): string[] {
    this.#selectors.set(key, selector);
    const prefix = key.slice(0, key.indexOf("/") + 1);
    const rivals: string[] = [];
    for (const [other, theirs] of this.#selectors)
      if (
        other !== key &&
        other.startsWith(prefix) &&
        pods.some((pod) => matches(theirs, pod.metadata?.labels))
      )
        rivals.push(other);
    return rivals.length === 0 ? [] : [key, ...rivals].sort();
  }

  async #act(
    io: RunContext,
    {
      key,
      autoscaler,
      found,
      decision,
    }: { key: string; autoscaler: ReadAutoscaler; found: Found; decision: Decision },
  ): Promise<void> {
    const events: Said[] = [...decision.events];
    let { status } = decision;
    const { scale } = decision;
    if (scale !== undefined) {
      const { replicas, reason } = scale;
      const from = found.scale.spec?.replicas ?? 0;
      const conditions: Conditions = [...(status.conditions ?? [])];
      try {
        await io.client.update(
          found.ref,
          { ...found.scale, spec: { ...found.scale.spec, replicas } },
          "scale",
        );
        this.#memories.set(key, remember(decision.memory, from, replicas, io.nowMs));
        events.push({
          type: "Normal",
          reason: "SuccessfulRescale",
          message: `New size: ${replicas}; reason: ${reason}`,
        });
        const message = `the HPA controller was able to update the target scale to ${replicas}`;
        setCondition(
          conditions,
          { type: "AbleToScale", status: "True", reason: "SucceededRescale", message },
          io.nowMs,
        );
        status = { ...status, lastScaleTime: timestamp(io.nowMs), conditions };
      } catch (thrown) {
        const { message: why } = toError(thrown);
        events.push({
          type: "Warning",
          reason: "FailedRescale",
          message: `New size: ${replicas}; reason: ${reason}; error: ${why}`,
        });
        const message = `the HPA controller was unable to update the target scale: ${why}`;
        setCondition(
          conditions,
          { type: "AbleToScale", status: "False", reason: "FailedUpdateScale", message },
          io.nowMs,
        );
        status = { ...status, desiredReplicas: from, conditions };
      }
    }
    // The scale is changed, whether or not the status can be written: that is told first.
    await io.execute([...told(autoscaler, events), ...written(autoscaler, status)]);
  }

  /** Nothing can be decided: the condition says why, and so does an event. */
  async #fail(
    io: RunContext,
    autoscaler: ReadAutoscaler,
    { type, reason }: { type: string; reason: string },
    [message, said]: readonly [string, string],
  ): Promise<void> {
    const conditions = [...(autoscaler.status?.conditions ?? [])] as Conditions;
    setCondition(conditions, { type, status: "False", reason, message }, io.nowMs);
    const status = { desiredReplicas: 0, ...autoscaler.status, conditions };
    await io.execute([
      ...told(autoscaler, [{ type: "Warning", reason, message: said }]),
      ...written(autoscaler, status),
    ]);
  }
}

async function scaleOf(client: Client, kinds: Kinds, { metadata, spec }: ReadAutoscaler): Promise<Found> {
  const target = spec?.scaleTargetRef ?? { kind: "", name: "" };
  const ref = await kinds.resourceOf(target);
  const scale = await client.get<Scale>(ref, metadata?.namespace ?? "", target.name, "scale");
  return { ref, scale };
}

function written(autoscaler: ReadAutoscaler, status: ReadAutoscaler["status"]): Action[] {
  if (isDeepStrictEqual(status, autoscaler.status)) return [];
  return [
    statusAction(HorizontalPodAutoscalers, { ...autoscaler, ...(status === undefined ? {} : { status }) }),
  ];
}

function told(autoscaler: ReadAutoscaler, events: readonly Said[]): Action[] {
  const about = referenceTo(HorizontalPodAutoscalers, autoscaler);
  return events.map((event) => ({ do: "event", about, ...event }));
}

export function autoscalerController(given: AutoscalerOptions, clock: Clock): ControllerDefinition {
  const periodMs = given.autoscalerSyncPeriodMs ?? 15_000;
  const autoscalers = new Autoscalers(
    {
      downscaleStabilizationMs: given.autoscalerDownscaleStabilizationMs ?? 300_000,
      tolerance: given.autoscalerTolerance ?? 0.1,
      cpuInitializationPeriodMs: given.autoscalerCpuInitializationPeriodMs ?? 300_000,
      initialReadinessDelayMs: given.autoscalerInitialReadinessDelayMs ?? 30_000,
    },
    clock,
  );
  return defineController<Input>({
    name: "horizontal-pod-autoscaler",
    owns: [],
    writes: [HorizontalPodAutoscalers],
    watches: [
      watching<HorizontalPodAutoscaler>({
        ref: HorizontalPodAutoscalers,
        // What it has written itself is no reason to look again before the next pass.
        keys: (autoscaler, _reads, other) =>
          other !== undefined && isDeepStrictEqual(other.spec, autoscaler.spec)
            ? []
            : [objectKey(autoscaler)],
      }),
      watching<Pod>({
        ref: Pods,
        indexes: { namespace: (pod) => [pod.metadata?.namespace ?? ""] },
        keys: () => [],
      }),
    ],
    read: (key, reads) => {
      const autoscaler = reads.of<HorizontalPodAutoscaler>(HorizontalPodAutoscalers).get(key);
      if (autoscaler === undefined) {
        autoscalers.forget(key);
        return undefined;
      }
      return { key, autoscaler, podsOf: (namespace) => reads.of<Pod>(Pods).byIndex("namespace", namespace) };
    },
    plan: () => ({ actions: [] }),
    run: async (input, io) => {
      await autoscalers.run(input, io);
      return periodMs;
    },
  });
}
