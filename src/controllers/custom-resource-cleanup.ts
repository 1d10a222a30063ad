// Deletes the objects of a CustomResourceDefinition that is being deleted, then lets it go.
// Part of the API server: it runs whatever `--controllers` says.
// Watches: customresourcedefinitions.  Owns: nothing.  Writes: the objects (delete), customresourcedefinitions.
// Why run(): what is left is known only after deleting.

import { timestamp } from "#base/clock.ts";
import { resourcePath, type Client, type ResourceRef } from "#client/client.ts";
import { CustomResourceDefinitions } from "#client/refs.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { isApiError } from "#machinery/status.ts";
import { statusAction, updateAction } from "#reconcile/action.ts";
import { defineController, watching, type RunContext } from "#reconcile/controller.ts";
import { cleanupFinalizer } from "#resources/apiextensions/custom-resource-definition.ts";
import { isTrue, withCondition } from "#resources/apiextensions/names.ts";

/** Objects may have finalizers of their own. */
const lookAgainMs = 1_000;

const inProgress: Condition = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const completed: Condition = {
  type: "Terminating",
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};

/** While a definition goes, the stored version is served whatever it says. */
function refOf({ spec, status }: CustomResourceDefinition): ResourceRef | undefined {
  const version = spec.versions.find(({ storage }) => storage);
  if (version === undefined) return undefined;
  return {
    group: spec.group,
    version: version.name,
    resource: spec.names.plural,
    kind: status?.acceptedNames?.kind ?? spec.names.kind,
    namespaced: spec.scope === "Namespaced",
  };
}

/** Deletes all objects; says how many are left. */
async function empty(client: Client, ref: ResourceRef): Promise<number> {
  const { items } = await client.list(ref);
  if (items.length === 0) return 0;
  const namespaces = new Set(items.map(({ metadata }) => metadata?.namespace ?? ""));
  for (const namespace of namespaces) await client.json("DELETE", resourcePath(ref, namespace));
  return (await client.list(ref)).items.length;
}

async function setTerminating(
  crd: CustomResourceDefinition,
  condition: Condition,
  io: RunContext,
): Promise<CustomResourceDefinition> {
  const before = crd.status?.conditions ?? [];
  const conditions = withCondition(before, condition, timestamp(io.nowMs));
  if (JSON.stringify(conditions) === JSON.stringify(before)) return crd;
  await io.execute([
    statusAction(CustomResourceDefinitions, { ...crd, status: { ...crd.status, conditions } }),
  ]);
  return io.client.get(CustomResourceDefinitions, "", crd.metadata?.name ?? "");
}

async function cleanUp(name: string, io: RunContext): Promise<number | undefined> {
  let crd = await io.client.get<CustomResourceDefinition>(CustomResourceDefinitions, "", name);
  if (!isDue(crd)) return undefined;
  const ref = refOf(crd);
  if (ref !== undefined && isTrue(crd, "Established")) {
    crd = await setTerminating(crd, inProgress, io);
    if ((await empty(io.client, ref)) > 0) return lookAgainMs;
  }
  crd = await setTerminating(crd, completed, io);
  const finalizers = (crd.metadata?.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
  await io.execute([
    updateAction(CustomResourceDefinitions, { ...crd, metadata: { ...crd.metadata, finalizers } }),
  ]);
  return undefined;
}

const isDue = ({
  metadata,
}: {
  metadata?: { deletionTimestamp?: string; finalizers?: readonly string[] };
}): boolean =>
  metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(cleanupFinalizer);

export const customResourceCleanupController = defineController<{ readonly name: string }>({
  name: "crd-finalizer-controller",
  owns: [],
  writes: [CustomResourceDefinitions],
  watches: [
    watching<CustomResourceDefinition>({
      ref: CustomResourceDefinitions,
      keys: ({ metadata }) => [metadata?.name ?? ""],
    }),
  ],
  read: (name, reads) => {
    const crd = reads.of<CustomResourceDefinition>(CustomResourceDefinitions).get(name);
    return crd !== undefined && isDue(crd as CustomResourceDefinition) ? { name } : undefined;
  },
  plan: () => ({ actions: [] }),
  run: async ({ name }, io) => {
    try {
      return await cleanUp(name, io);
    } catch (thrown) {
      if (isApiError(thrown, "NotFound")) return undefined;
      throw thrown;
    }
  },
});
