// metadata, the same for every kind: what the server sets, what may change, what is valid. Pure.

import { child, forbidden, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { validateAnnotations, validateLabels } from "#machinery/label-rules.ts";
import { checkDnsLabel, checkQualifiedName } from "#machinery/names.ts";
import type { KubeObject, ObjectMeta } from "#machinery/meta.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";

/** Finalizers without a domain that the system itself knows. */
const standardFinalizers = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

/** Clears what a creator may not set, and sets what the server owns. */
export function initMetadata(
  metadata: ObjectMeta,
  given: { uid: string; creationTimestamp: string; generation: boolean },
): void {
  delete metadata.selfLink;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.resourceVersion;
  delete metadata.managedFields;
  delete metadata.generation;
  metadata.uid = given.uid;
  if (given.generation) metadata.generation = 1;
  metadata.creationTimestamp = given.creationTimestamp;
}

/** What an update says of fields that nobody can change. Left out, they stay. */
export function changedMetadata(next: ObjectMeta, old: ObjectMeta): FieldError[] {
  return (["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const).flatMap(
    (field) => {
      const value = next[field];
      return value === undefined || value === null || value === old[field]
        ? []
        : [invalid(child("metadata", field), value, "field is immutable")];
    },
  );
}

/** Fields that an update cannot change come from the stored object. */
export function keepMetadata(next: ObjectMeta, old: ObjectMeta): void {
  for (const field of [
    "name",
    "namespace",
    "generateName",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
  ] as const) {
    if (old[field] === undefined) delete next[field];
    else (next as Record<string, unknown>)[field] = old[field];
  }
  delete next.selfLink;
  delete next.managedFields;
}

function validateOwners(owners: ObjectMeta["ownerReferences"], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners ?? []) {
    // As documented: the path names the field, not the place in the list.
    if (!owner.apiVersion)
      errors.push(invalid(child(path, "apiVersion"), owner.apiVersion ?? "", "version must not be empty"));
    for (const key of ["kind", "name", "uid"] as const)
      if (!owner[key]) errors.push(invalid(child(path, key), owner[key] ?? "", "must not be empty"));
    if (owner.apiVersion === "v1" && owner.kind === "Event")
      errors.push(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      errors.push(
        invalid(
          path,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.kind}/${owner.name}`,
        ),
      );
    }
    controller ??= `${owner.kind}/${owner.name}`;
  }
  return errors;
}

/** Kinds of the groups that serve other kinds, and those other kinds, leave finalizers' names to their users. */
const anyFinalizers = ({ group, schema }: ResourceDefinition): boolean =>
  schema !== undefined || group === "apiextensions.k8s.io" || group === "apiregistration.k8s.io";

function validateFinalizers(
  finalizers: readonly string[] = [],
  path: string,
  definition: ResourceDefinition,
): FieldError[] {
  const both = finalizers.includes("orphan") && finalizers.includes("foregroundDeletion");
  const conflicts = both
    ? [invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")]
    : [];
  const errors = finalizers.flatMap((name) => {
    const errors = checkQualifiedName(name).map((why) => invalid(path, name, why));
    const isBare = !name.includes("/") && !standardFinalizers.has(name);
    if (errors.length === 0 && isBare && !anyFinalizers(definition)) {
      errors.push(invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"));
    }
    return errors;
  });
  return [...errors, ...conflicts];
}

/** All errors of metadata, as create and update have them in common. */
export function validateMetadata(object: KubeObject, definition: ResourceDefinition): FieldError[] {
  const metadata = object.metadata ?? {};
  const path = "metadata";
  const errors: FieldError[] = [];
  if (metadata.generateName) {
    errors.push(
      ...definition
        .validateName(metadata.generateName, true)
        .map((why) => invalid("metadata.generateName", metadata.generateName, why)),
    );
  }
  if (!metadata.name) errors.push(required("metadata.name", "name or generateName is required"));
  else
    errors.push(
      ...definition
        .validateName(metadata.name, false)
        .map((why) => invalid("metadata.name", metadata.name, why)),
    );
  if (definition.namespaced) {
    if (!metadata.namespace) errors.push(required("metadata.namespace"));
    else
      errors.push(
        ...checkDnsLabel(metadata.namespace).map((why) =>
          invalid("metadata.namespace", metadata.namespace, why),
        ),
      );
  } else if (metadata.namespace) errors.push(forbidden("metadata.namespace", "not allowed on this type"));
  errors.push(...validateLabels(metadata.labels, child(path, "labels")));
  errors.push(...validateAnnotations(metadata.annotations, child(path, "annotations")));
  errors.push(...validateOwners(metadata.ownerReferences, child(path, "ownerReferences")));
  errors.push(...validateFinalizers(metadata.finalizers, child(path, "finalizers"), definition));
  return errors;
}

export function validateMetadataUpdate(
  next: KubeObject,
  old: KubeObject,
  definition: ResourceDefinition,
): FieldError[] {
  const errors = validateMetadata(next, definition);
  const before = new Set(old.metadata?.finalizers ?? []);
  const added = (next.metadata?.finalizers ?? []).filter((name) => !before.has(name));
  if (old.metadata?.deletionTimestamp !== undefined && added.length > 0) {
    errors.push(
      forbidden(
        "metadata.finalizers",
        `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      ),
    );
  }
  return errors;
}
