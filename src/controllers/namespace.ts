// Empties a namespace that is being deleted, kind by kind, then takes its finalizer away.
// Watches: namespaces.  Owns: nothing.  Writes: everything in the namespace (delete), namespaces/status, namespaces/finalize.
// Why run(): what there is to delete is known only from discovery and lists, and what is left only after deleting.

import { Namespaces } from "#client/refs.ts";
import { toError } from "#base/assert.ts";
import { resourcePath, type Client, type ResourceRef } from "#client/client.ts";
import type { Namespace } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { statusAction, updateAction } from "#reconcile/action.ts";
import { defineController, watching, type RunContext } from "#reconcile/controller.ts";
import { discover, type Discovered } from "./discovered.ts";
import { deletionConditions, lookAgainMs, type DeletionReport, type Remaining } from "./namespace-status.ts";

type ReadNamespace = DeepReadonly<Namespace>;

const isGone = (thrown: unknown): boolean =>
  thrown instanceof ApiError && (thrown.code === 404 || thrown.code === 405);

/** Deletes all objects of one resource in the namespace and tells what is left. */
async function empty(client: Client, { ref, verbs }: Discovered, namespace: string): Promise<Remaining> {
  const list = async (): Promise<readonly KubeObject[]> => (await client.list(ref, { namespace })).items;
  if (!verbs.includes("list")) return { ref, objects: [] };
  let objects = await list();
  if (objects.length === 0) return { ref, objects };
  if (verbs.includes("deletecollection")) {
    await client.json("DELETE", resourcePath(ref, namespace), {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Background",
    });
  } else {
    for (const object of objects) await deleteOne(client, ref, object);
  }
  objects = await list();
  return { ref, objects };
}

async function deleteOne(client: Client, ref: ResourceRef, object: KubeObject): Promise<void> {
  const { namespace = "", name = "" } = object.metadata ?? {};
  try {
    await client.delete(ref, namespace, name, { propagationPolicy: "Background" });
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
  }
}

const isPods = ({ group, resource }: ResourceRef): boolean => group === "" && resource === "pods";

const podsFirst = (resources: readonly Discovered[]): Discovered[] => [
  ...resources.filter(({ ref }) => isPods(ref)),
  ...resources.filter(({ ref }) => !isPods(ref)),
];

async function emptyAll(client: Client, namespace: string): Promise<DeletionReport> {
  const { resources, failed } = await discover(client);
  const deletionErrors: string[] = [];
  const remaining: Remaining[] = [];
  for (const resource of podsFirst(resources)) {
    // What pods need while they end (their accounts, their network's rules) goes after them (KEP-5080).
    if (remaining.some(({ ref, objects }) => isPods(ref) && objects.length > 0)) break;
    if (!resource.ref.namespaced || !resource.verbs.includes("delete")) continue;
    try {
      remaining.push(await empty(client, resource, namespace));
    } catch (thrown) {
      if (!isGone(thrown)) deletionErrors.push(toError(thrown).message);
    }
  }
  const discoveryErrors = failed.map(({ groupVersion, error }) => `${groupVersion}: ${error.message}`);
  return { discoveryErrors, deletionErrors, remaining };
}

async function finish(namespace: ReadNamespace, io: RunContext): Promise<number | undefined> {
  const name = namespace.metadata?.name ?? "";
  const report = await emptyAll(io.client, name);
  const live = await io.client.get<Namespace>(Namespaces, "", name);
  const conditions = deletionConditions(live, report, io.nowMs);
  if (conditions !== undefined)
    await io.execute([statusAction(Namespaces, { ...live, status: { ...live.status, conditions } })]);
  const { discoveryErrors, deletionErrors, remaining } = report;
  const isEmpty = remaining.every(({ objects }) => objects.length === 0);
  if (discoveryErrors.length + deletionErrors.length > 0)
    throw new Error(`namespace ${name}: ${[...discoveryErrors, ...deletionErrors].join("; ")}`);
  if (!isEmpty) return lookAgainMs(remaining);
  const fresh = conditions === undefined ? live : await io.client.get<Namespace>(Namespaces, "", name);
  const finalizers = (fresh.spec?.finalizers ?? []).filter((finalizer) => finalizer !== "kubernetes");
  const object = { ...fresh, spec: { ...fresh.spec, finalizers } };
  await io.execute([updateAction(Namespaces, object, { subresource: "finalize" })]);
  return undefined;
}

export const namespaceController = defineController<ReadNamespace>({
  name: "namespace-controller",
  owns: [],
  writes: [Namespaces],
  workers: 10,
  watches: [watching<Namespace>({ ref: Namespaces, keys: ({ metadata }) => [metadata?.name ?? ""] })],
  read: (key, reads) => {
    const namespace = reads.of<Namespace>(Namespaces).get(key);
    const isOurs =
      namespace?.metadata?.deletionTimestamp !== undefined &&
      (namespace.spec?.finalizers ?? []).includes("kubernetes");
    return isOurs ? namespace : undefined;
  },
  plan: () => ({ actions: [] }),
  run: async (namespace, io) => {
    try {
      return await finish(namespace, io);
    } catch (thrown) {
      if (isGone(thrown)) return undefined;
      throw thrown;
    }
  },
});
