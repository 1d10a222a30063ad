// One node: kubelet, proxy and DNS over one connection to the API server and one set of informers.

import { realClock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { realRandom } from "#base/random.ts";
import { createClient } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import type { ServerAccess } from "#client/kubeconfig.ts";
import { startDns } from "#dns/server.ts";
import { startKubelet } from "#kubelet/kubelet.ts";
import { startProxy } from "#proxy/proxy.ts";
import type { Component } from "#reconcile/component.ts";
import { createInformerFactory } from "#reconcile/informers.ts";

export interface NodeOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly access: ServerAccess;
  readonly containerdSocket: string;
  readonly dataDir: string;
  readonly clusterCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly cgroup: string;
  readonly serving: { readonly certificate: string; readonly key: string; readonly clientCa: string };
  readonly upstreams: readonly string[];
  readonly resolvConf: string;
  readonly log: Logger;
}

/** The version that this kubelet reports, in the form of a release. */
const version = "v1.36.0";

export function startNode(options: NodeOptions): Component {
  const { log, nodeName, nodeIp, clusterCidr, clusterDomain } = options;
  const transport = createHttpsTransport(options.access);
  const deps = { transport, clock: realClock, random: realRandom, log };
  const informers = createInformerFactory(createClient(transport, { userAgent: "leme-node" }), deps);
  const kubelet = startKubelet(
    {
      nodeName,
      nodeIp,
      clusterDns: [options.clusterDns],
      clusterDomain,
      criEndpoint: options.containerdSocket,
      dataDir: options.dataDir,
      cgroup: options.cgroup,
      version,
      serving: options.serving,
      resolvConf: options.resolvConf,
    },
    { ...deps, informers },
  );
  const proxy = startProxy({ nodeName, clusterCidr, nodeIp }, deps, informers);
  const dns = startDns(
    { addresses: [nodeIp], zone: clusterDomain, upstreams: options.upstreams },
    deps,
    informers,
  );
  const components = [kubelet, proxy, dns];
  const started = informers.start();
  // A start that fails shows as the end of the component; nobody else awaits these.
  started.catch((error: unknown) => log.error("the informers cannot start", { error }));
  const ready = Promise.all(components.map((component) => component.ready)).then(() => undefined);
  ready.catch((error: unknown) => log.error("the node cannot start", { error }));
  return {
    name: "node",
    ready,
    done: Promise.race(components.map((component) => component.done)).then(() => undefined),
    async stop() {
      await Promise.all(components.map((component) => component.stop()));
      await informers.stop();
      await transport.close();
    },
  };
}
