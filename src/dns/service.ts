// The Service kube-system/kube-dns and its endpoints: every Ready node answers for itself.
// internalTrafficPolicy Local keeps a pod's questions on its own node, so they survive the control plane's absence.

import { backoffDelay } from "#base/backoff.ts";
import { toError } from "#base/assert.ts";
import { createClient } from "#client/client.ts";
import { EndpointSlices, Nodes, Services } from "#client/refs.ts";
import type { Node, Service } from "#machinery/gen/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { hollowLabel } from "#resources/core/hollow-label.ts";

const namespace = "kube-system";
const name = "kube-dns";
const gatherMs = 20;
const retry = { initialMs: 200, maxMs: 10_000 };

export function dnsService(clusterIp: string): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace,
      labels: {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "KubeDNS",
      },
    },
    spec: {
      type: "ClusterIP",
      clusterIP: clusterIp,
      internalTrafficPolicy: "Local",
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  };
}

/** Where a node answers; nothing for one without an address, and for one that is hollow. */
function dnsEndpoint({ metadata, status }: DeepReadonly<Node>): Endpoint | undefined {
  const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  if (address === undefined || metadata?.labels?.[hollowLabel] !== undefined) return undefined;
  const ready =
    status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
  return {
    addresses: [address],
    conditions: { ready, serving: ready, terminating: false },
    nodeName: metadata?.name ?? "",
  };
}

/** One endpoint for each node; ready as the node is. Sorted, so equal nodes give equal slices. */
function dnsEndpoints(nodes: Iterable<DeepReadonly<Node>>): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const node of nodes) {
    const endpoint = dnsEndpoint(node);
    if (endpoint !== undefined) endpoints.push(endpoint);
  }
  return endpoints.sort((a, b) => ((a.nodeName ?? "") < (b.nodeName ?? "") ? -1 : 1));
}

/** Most changes of a node are signs of life, and change nothing here. */
const sameEndpoint = (a: DeepReadonly<Node> | undefined, b: DeepReadonly<Node> | undefined): boolean =>
  JSON.stringify(a === undefined ? undefined : dnsEndpoint(a)) ===
  JSON.stringify(b === undefined ? undefined : dnsEndpoint(b));

export function startDnsService(
  options: { clusterIp: string },
  deps: Deps,
  informers: InformerFactory,
): Component {
  const log = deps.log.with({ component: "dns-service" });
  const client = createClient(deps.transport);
  const nodes = informers.informer<Node>(Nodes);
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  let scheduled = false;
  let stopped = false;
  let failures = 0;
  let written = "";
  let running = Promise.resolve();

  function schedule(delayMs: number): void {
    if (scheduled || stopped) return;
    scheduled = true;
    deps.clock.after(delayMs, () => {
      scheduled = false;
      running = running.then(sync);
    });
  }

  async function createUnlessThere(create: Promise<unknown>): Promise<void> {
    try {
      await create;
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
  }

  /** A Service that is there holds its address, which a second one could not have. */
  async function serviceIsThere(): Promise<boolean> {
    try {
      await client.get(Services, namespace, name);
      return true;
    } catch (error) {
      if (isApiError(error, "NotFound")) return false;
      throw error;
    }
  }

  async function sync(): Promise<void> {
    if (stopped || !nodes.synced) return;
    try {
      if (written === "" && !(await serviceIsThere()))
        await createUnlessThere(client.create(Services, namespace, dnsService(options.clusterIp)));
      const slice: EndpointSlice = {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name,
          namespace,
          labels: {
            "kubernetes.io/service-name": name,
            "endpointslice.kubernetes.io/managed-by": "leme-dns",
          },
        },
        addressType: "IPv4",
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
        endpoints: dnsEndpoints(nodes.list()),
      };
      const content = JSON.stringify(slice.endpoints);
      if (content !== written) {
        await createUnlessThere(client.create(EndpointSlices, namespace, slice));
        await client.patch(EndpointSlices, namespace, name, "merge", {
          endpoints: slice.endpoints,
          ports: slice.ports,
        });
        written = content;
      }
      failures = 0;
      ready.resolve();
    } catch (thrown) {
      failures++;
      log.warn("cannot write the DNS service; trying again", { error: toError(thrown) });
      schedule(backoffDelay(failures, retry));
    }
  }

  const unsubscribe = nodes.onChange((node, old) => {
    if (!sameEndpoint(node, old)) schedule(gatherMs);
  });
  void nodes.waitForSync().then(() => schedule(0));
  return {
    name: "dns-service",
    ready: ready.promise,
    done: done.promise,
    async stop() {
      stopped = true;
      unsubscribe();
      await running;
      done.resolve();
    },
  };
}
