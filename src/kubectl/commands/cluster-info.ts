// `kubectl cluster-info`: where the control plane answers, and the services that say they are the cluster's own.

import { Services } from "#client/refs.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { Command, Context } from "../command.ts";
import { forWords } from "../targets/resolve.ts";

const ownLabel = "kubernetes.io/cluster-service=true";

/** Where a service is reached: its balancer's address, or through the server. */
function serviceUrl(service: Service, server: string): string {
  const { name = "", namespace = "" } = service.metadata ?? {};
  const port = service.spec?.ports?.[0];
  const ingress = service.status?.loadBalancer?.ingress?.[0];
  if (ingress !== undefined) {
    const host = ingress.ip || ingress.hostname || "";
    return (service.spec?.ports ?? []).map((one) => `http://${host}:${one.port} `).join("");
  }
  const scheme = port?.port === 443 || port?.name === "https" ? "https:" : "";
  const withPort = scheme !== "" || port?.name ? `${scheme}${name}:${port?.name ?? ""}` : name;
  return `${server}/api/v1/namespaces/${namespace}/services/${withPort}/proxy`;
}

async function run(context: Context): Promise<void> {
  try {
    await show(context);
  } finally {
    context.print("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
  }
}

async function show(context: Context): Promise<void> {
  // Knowing the server's resources is not needed; an unreachable server is told as everywhere.
  await context.discovery(forWords);
  const client = await context.client();
  const { server } = await context.access();
  const line = (name: string, url: string): void => context.print(`${name} is running at ${url}\n`);
  const namespace = context.flags.string("namespace") || "kube-system";
  const { items } = await client.list<Service>(Services, { namespace, labelSelector: ownLabel });
  line("Kubernetes control plane", server);
  for (const service of items) {
    const name = service.metadata?.labels?.["kubernetes.io/name"] ?? service.metadata?.name ?? "";
    line(name, serviceUrl(service, server));
  }
}

export const clusterInfo: Command = {
  name: "cluster-info",
  use: "cluster-info [flags]",
  short: "Show where the cluster's services answer",
  long: "Show where the control plane answers, and the services with the label kubernetes.io/cluster-service=true.",
  examples: "# Where do the control plane and the cluster's services answer?\nkubectl cluster-info",
  notBuilt: ["dump"],
  run,
};
