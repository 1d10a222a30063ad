// Tells in the status of ResourceQuotas what the objects of their namespaces use; what counts is in
// src/resources/core/quota/. Admission adds what is created at once; this takes away what is gone, and counts anew.
// Watches: resourcequotas, pods, services, claims; of everything else in namespaces the metadata.  Owns: nothing.
// Writes: resourcequotas/status.

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { PersistentVolumeClaims, Pods, ResourceQuotas, Services } from "#client/refs.ts";
import type { Pod, ResourceQuota, Service } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import {
  defineController,
  watching,
  type ControllerDefinition,
  type Reads,
  type WatchRule,
} from "#reconcile/controller.ts";
import type { AmountsByName } from "#resources/core/quota/amounts.ts";
import { countName, countsTowards, quotaUsage, type Subject } from "#resources/core/quota/usage.ts";
import { builtinResources } from "#resources/index.ts";
import { planQuota, unknownCounts, type QuotaInput, type Readable } from "./resource-quota/quota-plan.ts";
import { isPodTerminal } from "./pod-state.ts";
import { Kinds } from "./served-kinds.ts";

export interface ResourceQuotaOptions {
  /** `--resource-quota-sync-period`: how often everything is counted anew. */
  readonly resourceQuotaSyncPeriodMs?: number;
}

interface Work extends QuotaInput {
  readonly waitMs: number;
}

/** Counts of kinds that are not built in are asked for. */
const customCountPeriodMs = 2000;
/** A namespace is not counted more often. */
const countPeriodMs = 200;
/** What was charged so short a time ago may not be stored yet, and would be counted away. */
const chargeSettleMs = 100;
/** Charges do not put off counting for longer. */
const chargeSettleMsMax = 2000;

const inNamespaces = { namespace: ({ metadata }: Readable) => [metadata?.namespace ?? ""] };

/** Resources of which only the number matters. */
function plainResources(): ResourceRef[] {
  const seen = new Set<string>([Pods, Services, PersistentVolumeClaims, ResourceQuotas].map(countName));
  const found: ResourceRef[] = [];
  for (const { group, version, resource, kind, namespaced, verbs } of builtinResources) {
    const isCounted =
      namespaced && ["list", "watch", "delete"].every((verb) => verbs.some((one) => one === verb));
    if (!isCounted || resource === "events" || seen.has(countName({ group, resource }))) continue;
    seen.add(countName({ group, resource }));
    found.push({ group, version, resource, kind, namespaced });
  }
  return found;
}

const isPod = (ref: ResourceRef): boolean => ref === Pods;

/** Whether a change may have made room. */
function makesRoom(ref: ResourceRef, object: Readable, other: Readable | undefined, reads: Reads): boolean {
  if (other === undefined) return reads.of(ref).get(objectKey(object)) === undefined;
  if (isPod(ref)) {
    const [now, then] = [object as DeepReadonly<Pod>, other as DeepReadonly<Pod>];
    return (
      isPodTerminal(now) !== isPodTerminal(then) || now.metadata?.generation !== then.metadata?.generation
    );
  }
  const [now, then] = [object as DeepReadonly<Service>, other as DeepReadonly<Service>];
  return !isDeepStrictEqual(now.spec, then.spec);
}

/** When each quota was last counted, and charged; as many as there are quotas. */
class Pace {
  readonly #clock: Clock;
  readonly #times = new Map<string, { countedMs: number; chargedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  charged(key: string): void {
    const { countedMs = -Infinity } = this.#times.get(key) ?? {};
    this.#times.set(key, { countedMs, chargedMs: this.#clock.monotonic() });
  }

  forget(key: string): void {
    this.#times.delete(key);
  }

  /** How long to wait before the quota is counted; 0 is now, and is noted. */
  wait(key: string): number {
    const nowMs = this.#clock.monotonic();
    const { countedMs = -Infinity, chargedMs = -Infinity } = this.#times.get(key) ?? {};
    const settled = Math.min(
      chargedMs + chargeSettleMs,
      Math.max(countedMs, chargedMs - chargeSettleMsMax) + chargeSettleMsMax,
    );
    const waitMs = Math.max(countedMs + countPeriodMs, settled) - nowMs;
    if (waitMs > 0) return waitMs;
    this.#times.set(key, { countedMs: nowMs, chargedMs });
    return 0;
  }
}

/** What a stored object uses does not change: it is reckoned once. */
function rememberingUsage(): (subject: Subject, object: Readable, nowMs: number) => AmountsByName {
  const known = new WeakMap<Readable, AmountsByName>();
  return (subject, object, nowMs) => {
    if (object.metadata?.deletionTimestamp !== undefined) return quotaUsage(subject, object, nowMs);
    let usage = known.get(object);
    if (usage === undefined) known.set(object, (usage = quotaUsage(subject, object, nowMs)));
    return usage;
  };
}

async function countOf(
  client: Client,
  kinds: Kinds,
  name: string,
  namespace: string,
): Promise<number | undefined> {
  const [resource = "", ...group] = name.slice("count/".length).split(".");
  const ref = await kinds.named(group.join("."), resource);
  if (ref === undefined || !ref.namespaced) return undefined;
  try {
    const { items, metadata } = await client.list<KubeObject>(ref, { namespace, limit: 1 });
    return items.length + (metadata?.remainingItemCount ?? 0);
  } catch (thrown) {
    if (isApiError(thrown, "NotFound")) return undefined;
    throw thrown;
  }
}

export function resourceQuotaController(given: ResourceQuotaOptions, clock: Clock): ControllerDefinition {
  const { resourceQuotaSyncPeriodMs = 300_000 } = given;
  const refs = [Pods, Services, PersistentVolumeClaims, ...plainResources()];
  const subjects: readonly ResourceRef[] = [...refs, ResourceQuotas];
  const known = new Set(subjects.map(countName));
  const pace = new Pace(clock);
  const usageOf = rememberingUsage();
  let kinds: Kinds | undefined;
  const counted = (ref: ResourceRef): WatchRule => ({
    ref,
    ...([Pods, Services, PersistentVolumeClaims].includes(ref) ? {} : { options: { metadataOnly: true } }),
    indexes: inNamespaces,
    keys: (object, reads, other) => {
      const quotas = reads.of<ResourceQuota>(ResourceQuotas);
      if (quotas.size === 0 || !makesRoom(ref, object, other, reads)) return [];
      return quotas
        .byIndex("namespace", object.metadata?.namespace ?? "")
        .filter(({ spec }) => Object.keys(spec?.hard ?? {}).some((name) => countsTowards(ref, name)))
        .map((quota) => objectKey(quota));
    },
  });
  return defineController<Work>({
    name: "resourcequota-controller",
    owns: [],
    writes: [ResourceQuotas],
    watches: [
      watching<ResourceQuota>({
        ref: ResourceQuotas,
        indexes: inNamespaces,
        keys: (quota, reads, old) => {
          const key = objectKey(quota);
          if (reads.of(ResourceQuotas).get(key) === undefined) pace.forget(key);
          if (old === undefined) return [key];
          if (isDeepStrictEqual(quota.spec, old.spec)) {
            pace.charged(key);
            return [];
          }
          return [key];
        },
      }),
      ...refs.map(counted),
    ],
    tick: {
      everyMs: resourceQuotaSyncPeriodMs,
      keys: (reads) => [...reads.of(ResourceQuotas).list()].map((quota) => objectKey(quota)),
    },
    read: (key, reads) => {
      const quota = reads.of<ResourceQuota>(ResourceQuotas).get(key);
      if (quota === undefined) return undefined;
      const waitMs = pace.wait(key);
      if (waitMs > 0) return { quota, objects: [], counts: new Map(), waitMs };
      const namespace = quota.metadata?.namespace ?? "";
      const names = Object.keys(quota.spec?.hard ?? {});
      const objects = subjects
        .filter((subject) => names.some((name) => countsTowards(subject, name)))
        .map((subject) => ({ subject, list: reads.of(subject).byIndex("namespace", namespace) }));
      return { quota, objects, counts: new Map(), waitMs: 0 };
    },
    confirm: async (work, client) => {
      const asked = work.waitMs > 0 ? [] : unknownCounts(work.quota, known);
      if (asked.length === 0) return work;
      kinds ??= new Kinds(client, clock);
      const counts = new Map<string, number>();
      for (const name of asked) {
        const count = await countOf(client, kinds, name, work.quota.metadata?.namespace ?? "");
        if (count !== undefined) counts.set(name, count);
      }
      return { ...work, counts };
    },
    plan: (work, { nowMs }) => {
      if (work.waitMs > 0) return { actions: [], againAfterMs: work.waitMs };
      const { actions } = planQuota(work, nowMs, usageOf);
      const hasCustom = unknownCounts(work.quota, known).length > 0;
      return hasCustom ? { actions, againAfterMs: customCountPeriodMs } : { actions };
    },
  });
}
