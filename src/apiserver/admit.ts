// Runs the admission plug-ins over a write: first those that change it, later those that only refuse.

import type { KubeObject } from "#machinery/meta.ts";
import type { AdmissionRequest } from "./admission/contract.ts";
import type { ResourceContext } from "./context.ts";

export interface Write {
  readonly operation: AdmissionRequest["operation"];
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
  readonly dryRun: boolean;
  readonly subresource?: string;
  readonly name?: string;
}

function requestOf(context: ResourceContext, write: Write): AdmissionRequest {
  const { definition, info, caller } = context;
  const { group, version, resource, kind } = definition;
  return {
    operation: write.operation,
    resource: { group, version, resource },
    kind: { group, version, kind },
    subresource: write.subresource ?? info.subresource,
    namespace: info.namespace,
    name: write.name ?? (info.name || (write.object?.metadata?.name ?? "")),
    caller,
    dryRun: write.dryRun,
    object: write.object,
    old: write.old,
    warn: (message) => context.warn(message),
  };
}

export async function mutate(context: ResourceContext, write: Write): Promise<void> {
  const request = requestOf(context, write);
  for (const plugin of context.server.admission)
    if (plugin.mutate !== undefined) await plugin.mutate(request);
}

export async function validate(context: ResourceContext, write: Write): Promise<void> {
  const request = requestOf(context, write);
  for (const plugin of context.server.admission)
    if (plugin.validate !== undefined) await plugin.validate(request);
}
