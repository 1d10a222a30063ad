// Hollow nodes for a cluster whose control plane is elsewhere: one connection, one set of informers, for all of them.

import { realClock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { realRandom } from "#base/random.ts";
import { createClient } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import type { ServerAccess } from "#client/kubeconfig.ts";
import { startHollowNodes, type HollowNodesOptions } from "#kubelet/hollow/hollow-nodes.ts";
import type { Component } from "#reconcile/component.ts";
import { createInformerFactory } from "#reconcile/informers.ts";

export function startRemoteHollowNodes(
  options: HollowNodesOptions,
  access: ServerAccess,
  log: Logger,
): Component {
  const transport = createHttpsTransport(access);
  const deps = { clock: realClock, random: realRandom, log };
  const informers = createInformerFactory(createClient(transport, { userAgent: "leme-hollow" }), deps);
  const nodes = startHollowNodes(options, { ...deps, informers, transportFor: () => transport });
  const started = informers.start();
  // A start that fails shows as nodes that never are ready; nobody else awaits these.
  started.catch((error: unknown) => log.error("the informers cannot start", { error }));
  return {
    name: nodes.name,
    ready: nodes.ready,
    done: nodes.done,
    async stop() {
      await nodes.stop();
      await informers.stop();
      await transport.close();
    },
  };
}
