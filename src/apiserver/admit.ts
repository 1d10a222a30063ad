// Runs the admission plug-ins over a write: first those that change it, later those that only refuse.

import type { FieldError } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { schemaOf, type ResourceDefinition } from "#machinery/define-resource.ts";
import type { AdmissionPlugin, AdmissionRequest, EquivalentVersion } from "./admission/contract.ts";
import type { ResourceContext } from "./context.ts";
import { decodePatched } from "./decode-body.ts";
import { storagePrefix } from "./stored-object.ts";
import { between } from "./versions.ts";

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
    equivalents: () => equivalents(context, write),
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

/** The other versions of the resource. What is asked for by another kind (a Scale) has none. */
function equivalents(context: ResourceContext, write: Write): readonly EquivalentVersion[] {
  const { definition, server } = context;
  const subresource = write.subresource ?? context.info.subresource;
  if (!server.registry.hasOtherVersions(definition) || (subresource !== "" && subresource !== "status"))
    return [];
  const prefix = storagePrefix(definition.storage);
  return server.registry.definitions
    .filter((one) => one !== definition && storagePrefix(one.storage) === prefix)
    .map((to) => ({
      resource: { group: to.group, version: to.version, resource: to.resource },
      view: () => viewIn(context, write, to),
    }));
}

async function viewIn(
  context: ResourceContext,
  write: Write,
  to: ResourceDefinition,
): Promise<AdmissionRequest> {
  const { definition } = context;
  const own = requestOf(context, write);
  const there = async (object: KubeObject | undefined): Promise<KubeObject | undefined> =>
    object === undefined ? undefined : between(definition, to, object);
  return {
    ...own,
    resource: { group: to.group, version: to.version, resource: to.resource },
    kind: { group: to.group, version: to.version, kind: to.kind },
    asked: { resource: own.resource, kind: own.kind },
    object: await there(write.object),
    old: await there(write.old),
    schema: schemaOf(to),
    async replace(object) {
      const decoded = decodePatched(object, to, [], { fieldValidation: "Ignore", warn: own.warn });
      await own.replace(await between(to, definition, decoded));
    },
    equivalents: () => [],
  };
}

const looksAt = ({ resources }: AdmissionPlugin, { definition }: ResourceContext): boolean =>
  resources === undefined || resources.has(`${definition.group}/${definition.resource}`);

export async function mutate(context: ResourceContext, write: Write): Promise<void> {
  const request = requestOf(context, write);
  for (const plugin of context.server.admission) {
    if (!looksAt(plugin, context)) continue;
    // Most have nothing to say, and say so at once.
    const pending = plugin.mutate?.(request);
    if (pending !== undefined) await pending;
  }
}

export async function validate(context: ResourceContext, write: Write): Promise<void> {
  const request = requestOf(context, write);
  for (const plugin of context.server.admission) {
    if (!looksAt(plugin, context)) continue;
    const pending = plugin.validate?.(request);
    if (pending !== undefined) await pending;
  }
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
