// Leader election by Lease: one holder at a time leads; it renews, others wait until its time is over.
// Durations as documented: lease 15 s, renewal given up after 10 s, tries every 2 s (with jitter).
// Time is judged by when *we* saw the Lease change, never by the clocks of other machines.

import { toError } from "#base/assert.ts";
import { microTimestamp } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { Leases } from "#client/refs.ts";
import type { Lease } from "#machinery/gen/types/coordination-v1.ts";
import { ApiError } from "#machinery/status.ts";
import type { Component, Deps } from "./component.ts";

export interface LeaderElectionOptions {
  readonly client: Client;
  /** The Lease: `kube-system/kube-scheduler`, … */
  readonly namespace: string;
  readonly name: string;
  /** Who we are; differs between processes: `host_uuid`. */
  readonly identity: string;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  /** Starts what only the leader may run. */
  readonly lead: () => Component;
}

export type LeaseStep =
  | { readonly step: "create"; readonly spec: NonNullable<Lease["spec"]> }
  | { readonly step: "take" | "renew"; readonly spec: NonNullable<Lease["spec"]> }
  | { readonly step: "wait" };

export interface LeaseView {
  readonly lease: Lease | undefined;
  /** When we first saw the Lease as it is now. */
  readonly seenMs: number;
}

/** What to write now. Pure. */
export function planLease(
  view: LeaseView,
  identity: string,
  leaseDurationMs: number,
  nowMs: number,
  monotonicMs: number,
): LeaseStep {
  const now = microTimestamp(nowMs);
  const leaseDurationSeconds = Math.ceil(leaseDurationMs / 1000);
  const held = view.lease?.spec;
  const fresh = { holderIdentity: identity, leaseDurationSeconds, acquireTime: now, renewTime: now };
  if (view.lease === undefined) return { step: "create", spec: { ...fresh, leaseTransitions: 0 } };
  if (held?.holderIdentity === identity)
    return { step: "renew", spec: { ...held, leaseDurationSeconds, renewTime: now } };
  const lastsMs = (held?.leaseDurationSeconds ?? leaseDurationSeconds) * 1000;
  const isFree = (held?.holderIdentity ?? "") === "" || monotonicMs >= view.seenMs + lastsMs;
  if (!isFree) return { step: "wait" };
  return { step: "take", spec: { ...fresh, leaseTransitions: (held?.leaseTransitions ?? 0) + 1 } };
}

/** Resolves `ready` when it has begun to campaign; `done` rejects when leadership is lost after it was held. */
export function startLeaderElection(
  options: LeaderElectionOptions,
  deps: Pick<Deps, "clock" | "random" | "log">,
): Component {
  const { client, namespace, name, identity } = options;
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  const { clock, random } = deps;
  const log = deps.log.with({ lease: `${namespace}/${name}` });
  const abort = new AbortController();
  let lease: Lease | undefined;
  let seenMs = 0;

  /** True when we hold the Lease after this try. */
  const tryOnce = async (): Promise<boolean> => {
    let live: Lease | undefined;
    try {
      live = await client.get<Lease>(Leases, namespace, name);
    } catch (thrown) {
      if (!(thrown instanceof ApiError && thrown.code === 404)) throw thrown;
    }
    if (live?.metadata?.resourceVersion !== lease?.metadata?.resourceVersion || lease === undefined)
      seenMs = clock.monotonic();
    lease = live;
    const next = planLease({ lease, seenMs }, identity, leaseDurationMs, clock.now(), clock.monotonic());
    if (next.step === "wait") return false;
    lease =
      next.step === "create"
        ? await client.create<Lease>(Leases, namespace, { metadata: { name, namespace }, spec: next.spec })
        : await client.update<Lease>(Leases, { ...live, metadata: live?.metadata ?? {}, spec: next.spec });
    seenMs = clock.monotonic();
    return true;
  };

  const attempt = async (): Promise<boolean> => {
    try {
      return await tryOnce();
    } catch (thrown) {
      log.debug("lease was not written", { error: toError(thrown) });
      return false;
    }
  };

  /** Renews until it cannot for `renewDeadlineMs`, or is told to stop. */
  const renew = async (): Promise<void> => {
    let renewedMs = clock.monotonic();
    while (!abort.signal.aborted) {
      await clock.sleep(retryPeriodMs, abort.signal);
      if (abort.signal.aborted) return;
      if (await attempt()) renewedMs = clock.monotonic();
      else if (lease?.spec?.holderIdentity !== identity || clock.monotonic() - renewedMs > renewDeadlineMs)
        throw new Error(`leadership of ${namespace}/${name} is lost`);
    }
  };

  const release = async (): Promise<void> => {
    if (lease?.spec?.holderIdentity !== identity) return;
    const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 };
    try {
      await client.update<Lease>(Leases, { ...lease, spec });
    } catch (thrown) {
      log.debug("lease was not released", { error: toError(thrown) });
    }
  };

  const run = async (): Promise<void> => {
    while (!(await attempt())) {
      await clock.sleep(retryPeriodMs * (1 + 1.2 * random.next()), abort.signal);
      if (abort.signal.aborted) return;
    }
    log.info("leading", { identity });
    const work = options.lead();
    try {
      await Promise.race([renew(), work.done]);
    } finally {
      await work.stop();
      await release();
    }
  };

  const done = run();
  // Whoever awaits `done` hears of a failure; here it only must not count as unhandled before.
  done.catch(() => undefined);
  return {
    name: `leader-election/${name}`,
    ready: Promise.resolve(),
    done,
    async stop() {
      abort.abort();
      await done.catch(() => undefined);
    },
  };
}
