// Runs the admission plug-ins over a write: first those that change it, later those that only refuse.

import type { FieldError } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { schemaOf } from "#machinery/define-resource.ts";
import type { AdmissionRequest } from "./admission/contract.ts";
import type { ResourceContext } from "./context.ts";
import { decodePatched } from "./decode-body.ts";

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
    get schema() {
      return schemaOf(definition);
    },
    replace: (object) => replaceDraft(context, write.object, object),
    warn: (message) => context.warn(message),
  };
}

/** The draft keeps its identity: the write that goes on holds it. */
function replaceDraft(context: ResourceContext, draft: KubeObject | undefined, by: unknown): void {
  if (draft === undefined) throw new Error("there is no object to change");
  const decoded = decodePatched(by, context.definition, [], {
    fieldValidation: "Ignore",
    warn: (message) => context.warn(message),
  });
  for (const name of Object.keys(draft)) delete (draft as unknown as Record<string, unknown>)[name];
  Object.assign(draft, decoded);
  context.definition.applyDefaults(draft);
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

/** What only code that is loaded for it can tell. */
export async function moreErrors(
  { definition, server }: ResourceContext,
  next: KubeObject,
  old: KubeObject | undefined,
): Promise<readonly FieldError[]> {
  if (server.checks.size === 0) return [];
  return (await server.checks.get(`${definition.group}/${definition.resource}`)?.(next, old)) ?? [];
}
