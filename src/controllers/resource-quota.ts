// Tells in the status of ResourceQuotas what the objects of their namespaces use; what counts is in
// src/resources/core/quota/. Admission adds what is created at once; this takes away what is gone, and counts anew.
// Watches: resourcequotas, pods, services, claims; of everything else in namespaces the metadata.  Owns: nothing.
// Writes: resourcequotas/status.

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { PersistentVolumeClaims, Pods, ResourceClaims, ResourceQuotas, Services } from "#client/refs.ts";
import type { Pod, ResourceQuota, Service } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import { compareQuantities } from "#machinery/quantity.ts";
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
import { Pace } from "./pace.ts";
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
/** A small namespace is not counted more often. */
const countPeriodMs = 200;
/** What was charged so short a time ago may not be stored yet, and would be counted away. */
const chargeSettleMs = 100;
/** So long after the last charge it is looked whether all that was charged has come: a write may have failed. */
const chargeCheckMs = 1000;
/** Charges do not put off giving back for longer. */
const chargeSettleMsMax = 2000;

const inNamespaces = { namespace: ({ metadata }: Readable) => [metadata?.namespace ?? ""] };

/** Resources of which more than the number matters. */
const wholeResources: readonly ResourceRef[] = [Pods, Services, PersistentVolumeClaims, ResourceClaims];

/** Resources of which only the number matters. */
function plainResources(): ResourceRef[] {
  const seen = new Set<string>([...wholeResources, ResourceQuotas].map(countName));
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

/** More is used than before: admission has charged something. */
function isCharged({ status }: DeepReadonly<ResourceQuota>, old: DeepReadonly<ResourceQuota>): boolean {
  const before = old.status?.used ?? {};
  return Object.entries(status?.used ?? {}).some(([name, amount]) => {
    const was = before[name];
    return was !== undefined && compareQuantities(amount, was) > 0;
  });
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

/** When quotas were charged, and whether something has gone since; as many as there are quotas that were. */
class Charges {
  readonly #clock: Clock;
  readonly #times = new Map<string, { readonly firstMs: number; readonly lastMs: number }>();
  readonly #hurried = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(key: string): void {
    const nowMs = this.#clock.monotonic();
    this.#times.set(key, { firstMs: this.#times.get(key)?.firstMs ?? nowMs, lastMs: nowMs });
  }

  /** There is room to give back. */
  hurry(key: string): void {
    this.#hurried.add(key);
  }

  forget(key: string): void {
    this.#times.delete(key);
    this.#hurried.delete(key);
  }

  /** How long until what was charged is surely stored, or surely not. New charges put that off, but not what has gone. */
  unsettledMs(key: string): number {
    const { firstMs = -Infinity, lastMs = -Infinity } = this.#times.get(key) ?? {};
    const endMs = this.#hurried.has(key)
      ? Math.min(lastMs + chargeSettleMs, firstMs + chargeSettleMsMax)
      : lastMs + chargeCheckMs;
    return Math.max(0, endMs - this.#clock.monotonic());
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
  const refs = [...wholeResources, ...plainResources()];
  const subjects: readonly ResourceRef[] = [...refs, ResourceQuotas];
  const known = new Set(subjects.map(countName));
  const pace = new Pace(clock, countPeriodMs);
  const charges = new Charges(clock);
  const usageOf = rememberingUsage();
  let kinds: Kinds | undefined;
  const counted = (ref: ResourceRef): WatchRule => ({
    ref,
    ...(wholeResources.includes(ref) ? {} : { options: { metadataOnly: true } }),
    indexes: inNamespaces,
    keys: (object, reads, other) => {
      const quotas = reads.of<ResourceQuota>(ResourceQuotas);
      if (quotas.size === 0 || !makesRoom(ref, object, other, reads)) return [];
      return quotas
        .byIndex("namespace", object.metadata?.namespace ?? "")
        .filter(({ spec }) => Object.keys(spec?.hard ?? {}).some((name) => countsTowards(ref, name)))
        .map((quota) => {
          charges.hurry(objectKey(quota));
          return objectKey(quota);
        });
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
          if (reads.of(ResourceQuotas).get(key) === undefined) {
            pace.forget(key);
            charges.forget(key);
          }
          if (old === undefined) return [key];
          if (isDeepStrictEqual(quota.spec, old.spec)) {
            if (!isDeepStrictEqual(quota.status?.used, old.status?.used)) charges.note(key);
            return isCharged(quota, old) ? [key] : [];
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
      const waitMs = Math.max(pace.wait(key), charges.unsettledMs(key));
      if (waitMs > 0) return { quota, objects: [], counts: new Map(), waitMs };
      const namespace = quota.metadata?.namespace ?? "";
      const names = Object.keys(quota.spec?.hard ?? {});
      const objects = subjects
        .filter((subject) => names.some((name) => countsTowards(subject, name)))
        .map((subject) => ({ subject, list: reads.of(subject).byIndex("namespace", namespace) }));
      pace.done(
        key,
        objects.reduce((sum, { list }) => sum + list.length, 0),
      );
      charges.forget(key);
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
