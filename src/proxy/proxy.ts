// kube-proxy: watches Services and EndpointSlices, keeps this node's nftables table as the plan says.
// Changes are gathered for a moment and applied in one transaction; after a failed one the table is made anew.

import { spawn } from "node:child_process";
import { toError } from "#base/assert.ts";
import { backoffDelay } from "#base/backoff.ts";
import { EndpointSlices, Services } from "#client/refs.ts";
import { objectKey } from "#machinery/meta.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { planService, serviceNameLabel, type ServicePortPlan } from "./plan/backends.ts";
import { diffRulesets } from "./plan/diff.ts";
import { planRuleset, type Ruleset } from "./plan/ruleset.ts";
import { startHealthChecks } from "./health-checks.ts";

export interface ProxyOptions {
  readonly nodeName: string;
  readonly clusterCidr: string;
  /** The nftables table, this proxy's own. */
  readonly table?: string;
  /** Changes are gathered this long before they are applied. */
  readonly gatherMs?: number;
  /** Address on which health checks of Services with externalTrafficPolicy Local answer. */
  readonly nodeIp: string;
  /** Remove the table on stop; by default it stays, so that a restart interrupts nothing. */
  readonly cleanUp?: boolean;
}

const retry = { initialMs: 500, maxMs: 30_000 };
const nftTimeoutMs = 60_000;

/** Runs one nft transaction: all of it, or an error that says what nft said. */
export function applyNft(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"], timeout: nftTimeoutMs });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < 8192) stderr += chunk.toString();
    });
    child.on("error", (error) => reject(new Error(`nft cannot be run: ${error.message}`)));
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`nft: ${stderr.trim() || `exit ${code}`}`)),
    );
    child.stdin.on("error", () => undefined); // nft ended early: the exit code tells
    child.stdin.end(script);
  });
}

export function startProxy(
  options: ProxyOptions,
  deps: Pick<Deps, "clock" | "log">,
  informers: InformerFactory,
): Component {
  const { nodeName, clusterCidr, table = "leme-proxy", gatherMs = 50, nodeIp } = options;
  const log = deps.log.with({ component: "proxy" });
  const services = informers.informer<Service>(Services);
  const slices = informers.informer<EndpointSlice>(EndpointSlices);
  slices.addIndex("service", (slice) => {
    const service = slice.metadata?.labels?.[serviceNameLabel];
    return service === undefined ? [] : [`${slice.metadata?.namespace ?? ""}/${service}`];
  });

  // The plan of each Service is kept, so that a change plans one Service, not all.
  const plans = new Map<string, readonly ServicePortPlan[]>();
  const changed = new Set<string>();
  const health = startHealthChecks({ address: nodeIp, log });
  let applied: Ruleset | undefined;
  let failures = 0;
  let stopped = false;
  let scheduled = false;
  let running = Promise.resolve();
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => undefined);

  function mark(service: string): void {
    changed.add(service);
    schedule(gatherMs);
  }

  function schedule(delayMs: number): void {
    if (scheduled || stopped) return;
    scheduled = true;
    deps.clock.after(delayMs, () => {
      scheduled = false;
      running = running.then(sync);
    });
  }

  async function sync(): Promise<void> {
    if (stopped || !services.synced || !slices.synced) return;
    for (const key of changed) {
      const service = services.get(key);
      const ports =
        service === undefined ? [] : planService(service, slices.byIndex("service", key), nodeName);
      if (ports.length === 0) plans.delete(key);
      else plans.set(key, ports);
      health.update(key, service, slices.byIndex("service", key), nodeName);
    }
    changed.clear();
    const next = planRuleset([...plans.values()].flat(), { clusterCidr });
    try {
      const script = diffRulesets(table, applied, next);
      if (script !== "") await applyNft(script);
      applied = next;
      failures = 0;
      ready.resolve();
    } catch (thrown) {
      applied = undefined;
      failures++;
      const delayMs = backoffDelay(failures, retry);
      log.error("cannot apply the rules; trying again", { error: toError(thrown), delayMs });
      schedule(delayMs);
    }
  }

  const unsubscribe = [
    services.onChange((now, old) => mark(objectKey((now ?? old) as Service))),
    slices.onChange((now, old) => {
      for (const slice of [now, old]) {
        const service = slice?.metadata?.labels?.[serviceNameLabel];
        if (service !== undefined) mark(`${slice?.metadata?.namespace ?? ""}/${service}`);
      }
    }),
  ];
  void Promise.all([services.waitForSync(), slices.waitForSync()]).then(() => schedule(0));

  return {
    name: "proxy",
    ready: ready.promise,
    done: done.promise,
    async stop() {
      if (stopped) return;
      stopped = true;
      for (const one of unsubscribe) one();
      await running;
      await health.stop();
      if (options.cleanUp === true) await applyNft(`table ip ${table} {\n}\ndelete table ip ${table}\n`);
      done.resolve();
    },
  };
}
