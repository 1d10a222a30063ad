// Brings the standard roles and bindings up to date at start: what is missing is added, what was added stays.

import type { Client, ResourceRef } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import {
  autoupdateAnnotation,
  bootstrapBindings,
  bootstrapLabels,
  bootstrapRoles,
  controllerRoles,
  type BootstrapBinding,
  type BootstrapRole,
} from "./bootstrap-roles.ts";
import type { PolicyRule, RbacSubject } from "./rbac.ts";
import { ClusterRoleBindings, ClusterRoles } from "./views.ts";

interface RoleObject extends KubeObject {
  rules?: PolicyRule[] | null;
  aggregationRule?: unknown;
}

interface BindingObject extends KubeObject {
  subjects?: RbacSubject[];
  roleRef: { apiGroup: string; kind: string; name: string };
}

const apiVersion = "rbac.authorization.k8s.io/v1";

function metadataOf(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { name, labels: { ...bootstrapLabels, ...labels }, annotations: { [autoupdateAnnotation]: "true" } };
}

export function roleObject(role: BootstrapRole): RoleObject {
  return {
    apiVersion,
    kind: "ClusterRole",
    metadata: metadataOf(role.name, role.labels),
    ...(role.aggregate === undefined
      ? {}
      : {
          aggregationRule: { clusterRoleSelectors: role.aggregate.map((matchLabels) => ({ matchLabels })) },
        }),
    rules: [...role.rules],
  };
}

export function bindingObject(binding: BootstrapBinding): BindingObject {
  return {
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata: metadataOf(binding.name),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: binding.role },
    ...(binding.subjects.length === 0 ? {} : { subjects: [...binding.subjects] }),
  };
}

/** What of `wanted` the list lacks, compared by content. */
function lacking<T>(wanted: readonly T[], present: readonly T[]): T[] {
  const known = new Set(present.map((item) => JSON.stringify(item)));
  return wanted.filter((item) => !known.has(JSON.stringify(item)));
}

const opted = (object: KubeObject): boolean =>
  object.metadata?.annotations?.[autoupdateAnnotation] !== "false";

/** The role with what it lacks, or undefined when it lacks nothing. Pure. */
export function completeRole(existing: RoleObject, wanted: RoleObject): RoleObject | undefined {
  if (!opted(existing) || existing.aggregationRule !== undefined) return undefined;
  const added = lacking(wanted.rules ?? [], existing.rules ?? []);
  return added.length === 0 ? undefined : { ...existing, rules: [...(existing.rules ?? []), ...added] };
}

export function completeBinding(existing: BindingObject, wanted: BindingObject): BindingObject | undefined {
  if (!opted(existing)) return undefined;
  const added = lacking(wanted.subjects ?? [], existing.subjects ?? []);
  return added.length === 0 ? undefined : { ...existing, subjects: [...(existing.subjects ?? []), ...added] };
}

async function reconcileAll<T extends KubeObject>(
  client: Client,
  ref: ResourceRef,
  wanted: readonly T[],
  complete: (existing: T, wanted: T) => T | undefined,
): Promise<void> {
  const { items } = await client.list<T>(ref);
  const existing = new Map(items.map((item) => [item.metadata?.name ?? "", item]));
  await Promise.all(
    wanted.map(async (object) => {
      const found = existing.get(object.metadata?.name ?? "");
      try {
        if (found === undefined) await client.create(ref, "", object);
        else {
          const completed = complete(found, object);
          if (completed !== undefined) await client.update(ref, completed);
        }
      } catch (error) {
        // Another server of the same cluster does the same at the same time: whoever was first did our work.
        if (!isApiError(error, "AlreadyExists") && !isApiError(error, "Conflict")) throw error;
      }
    }),
  );
}

export async function reconcileBootstrapRoles(client: Client): Promise<void> {
  await Promise.all([
    reconcileAll(client, ClusterRoles, [...bootstrapRoles, ...controllerRoles].map(roleObject), completeRole),
    reconcileAll(client, ClusterRoleBindings, bootstrapBindings.map(bindingObject), completeBinding),
  ]);
}
