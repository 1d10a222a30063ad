// The service load balancer: gives Services of type LoadBalancer an address of the pool, and takes it back.
// The address works because every node's proxy serves it and the host routes the pool to Ready nodes.

import { backoffDelay } from "#base/backoff.ts";
import { toError } from "#base/assert.ts";
import { microTimestamp, timestamp } from "#base/clock.ts";
import { createClient } from "#client/client.ts";
import { Events, Services } from "#client/refs.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import { splitKey } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { planAddresses, type Assignment, type Pool } from "./address-plan.ts";

const gatherMs = 20;
const retry = { initialMs: 200, maxMs: 30_000 };

export function startLoadBalancer(
  options: { pool: Pool },
  deps: Deps,
  informers: InformerFactory,
): Component {
  const log = deps.log.with({ component: "service-lb" });
  const client = createClient(deps.transport);
  const services = informers.informer<Service>(Services);
  const done = Promise.withResolvers<void>();
  /** Complaints already made, so that an event says it once for each state. */
  const complained = new Map<string, string>();
  let scheduled = false;
  let stopped = false;
  let failures = 0;
  let running = Promise.resolve();

  function schedule(delayMs: number): void {
    if (scheduled || stopped) return;
    scheduled = true;
    deps.clock.after(delayMs, () => {
      scheduled = false;
      running = running.then(sync);
    });
  }

  async function event(
    service: Service,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): Promise<void> {
    const { namespace = "", name = "", uid } = service.metadata ?? {};
    const now = deps.clock.now();
    await client.create(Events, namespace, {
      metadata: {
        name: `${name}.${now.toString(16)}${deps.random.integer(0x10000).toString(16)}`,
        namespace,
      },
      involvedObject: {
        apiVersion: "v1",
        kind: "Service",
        namespace,
        name,
        ...(uid === undefined ? {} : { uid }),
      },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: timestamp(now),
      lastTimestamp: timestamp(now),
      eventTime: microTimestamp(now),
      reportingComponent: "service-controller",
      reportingInstance: "leme",
      action: reason,
      source: { component: "service-controller" },
    } as object);
  }

  async function execute(action: Assignment): Promise<void> {
    const service = services.get(action.key) as Service | undefined;
    if (service === undefined) return;
    const { namespace, name } = splitKey(action.key);
    if (action.action === "exhausted") {
      if (complained.get(action.key) === action.why) return;
      complained.set(action.key, action.why);
      await event(
        service,
        "Warning",
        "SyncLoadBalancerFailed",
        `Error syncing load balancer: failed to ensure load balancer: ${action.why}`,
      );
      return;
    }
    complained.delete(action.key);
    const ingress = action.action === "assign" ? [{ ip: action.ip, ipMode: "VIP" }] : [];
    const { resourceVersion } = service.metadata ?? {};
    await client.patch(
      Services,
      namespace,
      name,
      "merge",
      {
        metadata: { resourceVersion },
        status: { loadBalancer: { ingress: ingress.length > 0 ? ingress : null } },
      },
      "status",
    );
    await event(
      service,
      "Normal",
      action.action === "assign" ? "EnsuredLoadBalancer" : "DeletedLoadBalancer",
      action.action === "assign" ? "Ensured load balancer" : "Deleted load balancer",
    );
  }

  async function sync(): Promise<void> {
    if (stopped || !services.synced) return;
    for (const key of complained.keys()) if (services.get(key) === undefined) complained.delete(key);
    let failed = false;
    for (const action of planAddresses(services.list(), options.pool)) {
      try {
        await execute(action);
      } catch (thrown) {
        // A conflict or a vanished Service shows in the cache soon, and plans again.
        if (isApiError(thrown, "NotFound")) continue;
        failed = true;
        if (!isApiError(thrown, "Conflict"))
          log.warn("cannot set a load-balancer address", { service: action.key, error: toError(thrown) });
      }
    }
    failures = failed ? failures + 1 : 0;
    if (failed) schedule(backoffDelay(failures, retry));
  }

  const unsubscribe = services.onChange(() => schedule(gatherMs));
  return {
    name: "service-lb",
    ready: services.waitForSync().then(() => schedule(0)),
    done: done.promise,
    async stop() {
      stopped = true;
      unsubscribe();
      await running;
      done.resolve();
    },
  };
}
