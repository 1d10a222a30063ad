// Beta versions, served where they are asked for by `--runtime-config`: those whose objects are the same as those of v1,
// and kinds that have no other version yet.

import { converting, defineResource, type ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { builtinResources } from "./index.ts";
import { storageVersionMigration } from "./storagemigration/storage-version-migration.ts";

/** By group and version, the resources of v1 that the version has, too. */
const versions: Readonly<Record<string, readonly string[]>> = {
  "admissionregistration.k8s.io/v1beta1": [
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
  ],
  "networking.k8s.io/v1beta1": ["ipaddresses", "servicecidrs"],
  "resource.k8s.io/v1beta2": ["deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"],
  "storage.k8s.io/v1beta1": ["volumeattributesclasses"],
};

/** Kinds of beta versions alone. */
const kinds: Readonly<Record<string, readonly ResourceDefinition[]>> = {
  "storagemigration.k8s.io/v1beta1": [storageVersionMigration as unknown as ResourceDefinition],
};

export const betaVersions: readonly string[] = [...Object.keys(versions), ...Object.keys(kinds)];

const same = (object: KubeObject): KubeObject => ({ ...object });

/** The same kind under another version: stored as v1. */
function inVersion({ epoch: _, ...definition }: ResourceDefinition, version: string): ResourceDefinition {
  const conversion = converting({ fromStorage: same, toStorage: same });
  return defineResource({ ...definition, version, conversion });
}

/** The definitions of the versions that are asked for. */
export function betaResources(wanted: ReadonlySet<string>): readonly ResourceDefinition[] {
  return betaVersions
    .filter((one) => wanted.has(one))
    .flatMap((one) => {
      const [group = "", version = ""] = one.split("/");
      if (kinds[one] !== undefined) return kinds[one];
      return builtinResources
        .filter((known) => known.group === group && known.version === "v1")
        .filter(({ resource }) => (versions[one] ?? []).includes(resource))
        .map((known) => inVersion(known, version));
    });
}
