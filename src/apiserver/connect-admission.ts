// What connects to a pod, Service or node passes admission before it begins: the operation is CONNECT, the object the
// options of the connection, as they were asked for.

import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";
import { internalError } from "#machinery/status.ts";
import type { AdmissionRequest } from "./admission/contract.ts";
import type { ResourceContext } from "./context.ts";

export const connectSubresources: ReadonlySet<string> = new Set(["attach", "exec", "portforward", "proxy"]);

const flags = ["stdin", "stdout", "stderr", "tty"] as const;

/** PodExecOptions, PodAttachOptions, PodPortForwardOptions, or the options of a proxy. Pure. */
export function connectOptions(subresource: string, query: URLSearchParams, rest: string): object {
  if (subresource === "proxy") return { path: rest === "" ? "/" : rest };
  if (subresource === "portforward") {
    const ports = query
      .getAll("ports")
      .flatMap((text) => text.split(","))
      .map(Number);
    return ports.length === 0 ? {} : { ports };
  }
  const asked = flags.filter((name) => query.get(name) === "true" || query.get(name) === "1");
  const container = query.get("container") ?? "";
  const command = query.getAll("command");
  return {
    ...Object.fromEntries(asked.map((name) => [name, true])),
    ...(container === "" ? {} : { container }),
    ...(command.length === 0 ? {} : { command }),
  };
}

/** Throws what a plug-in refuses with. */
export async function admitConnect(context: ResourceContext): Promise<void> {
  const { definition, info, caller, query, server } = context;
  const { group, version, resource } = definition;
  const plugins = server.admission.filter(({ connects }) => connects === true);
  const kind = definition.subresources[info.subresource]?.kind;
  if (plugins.length === 0 || kind === undefined) return;
  const options = connectOptions(info.subresource, query, info.rest);
  const request: AdmissionRequest = {
    operation: "CONNECT",
    resource: { group, version, resource },
    kind,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    caller,
    dryRun: false,
    object: { kind: kind.kind, apiVersion: apiVersionOf(kind), ...options } as KubeObject,
    old: undefined,
    schema: undefined,
    replace() {
      throw internalError("the options of a connection cannot be changed by admission here");
    },
    equivalents: () => [],
    warn: (message) => context.warn(message),
  };
  for (const plugin of plugins) await plugin.mutate?.(request);
  for (const plugin of plugins) await plugin.validate?.(request);
}
