// The health-check port of Services with externalTrafficPolicy Local: outside load balancers ask it
// whether this node has endpoints. 200 with endpoints, 503 without, a small JSON document either way.

import { createServer, type Server } from "node:http";
import type { Logger } from "#base/log.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export interface HealthChecks {
  /** Says how a Service stands now; undefined: it is gone. */
  update(
    key: string,
    service: DeepReadonly<Service> | undefined,
    slices: readonly DeepReadonly<EndpointSlice>[],
    nodeName: string,
  ): void;
  stop(): Promise<void>;
}

interface Entry {
  readonly port: number;
  readonly server: Server;
  endpoints: number;
}

function localEndpoints(slices: readonly DeepReadonly<EndpointSlice>[], nodeName: string): number {
  let count = 0;
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? [])
      if (endpoint.nodeName === nodeName && (endpoint.conditions?.ready ?? true)) count++;
  }
  return count;
}

export function startHealthChecks({ address, log }: { address: string; log: Logger }): HealthChecks {
  const entries = new Map<string, Entry>();

  function open(key: string, port: number): Entry {
    const [namespace = "", name = ""] = key.split("/");
    const server = createServer((_request, response) => {
      const { endpoints } = entry;
      response.writeHead(endpoints > 0 ? 200 : 503, {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
      });
      response.end(
        JSON.stringify({
          service: { namespace, name },
          localEndpoints: endpoints,
          serviceProxyHealthy: true,
        }),
      );
    });
    const entry: Entry = { port, server, endpoints: 0 };
    server.on("error", (error) =>
      log.warn("health-check port cannot be served", { service: key, port, error }),
    );
    server.listen(port, address);
    server.unref();
    return entry;
  }

  function close(key: string): void {
    entries.get(key)?.server.close();
    entries.delete(key);
  }

  return {
    update(key, service, slices, nodeName) {
      const port =
        service?.spec?.externalTrafficPolicy === "Local" ? (service.spec.healthCheckNodePort ?? 0) : 0;
      if (entries.get(key)?.port !== port) close(key);
      if (port === 0) return;
      const entry = entries.get(key) ?? open(key, port);
      entry.endpoints = localEndpoints(slices, nodeName);
      entries.set(key, entry);
    },
    async stop() {
      await Promise.all(
        [...entries.values()].map(({ server }) => new Promise((resolve) => server.close(resolve))),
      );
      entries.clear();
    },
  };
}
