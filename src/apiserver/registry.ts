// Which resources are served: by group, version and plural name; what discovery lists.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { storagePrefix } from "./stored-object.ts";

export interface Registry {
  find(group: string, version: string, resource: string): ResourceDefinition | undefined;
  /** The same objects are served in other versions too. */
  hasOtherVersions(definition: ResourceDefinition): boolean;
  readonly definitions: readonly ResourceDefinition[];
  /** Groups in preference order, each with its versions, the preferred first. */
  readonly groups: readonly { readonly name: string; readonly versions: readonly string[] }[];
}

export function createRegistry(definitions: readonly ResourceDefinition[]): Registry {
  const byPath = new Map(definitions.map((one) => [`${one.group}/${one.version}/${one.resource}`, one]));
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of definitions) {
    const versions = groups.get(group) ?? new Set<string>();
    groups.set(group, versions.add(version));
  }
  const storedAs = Map.groupBy(definitions, ({ storage }) => storagePrefix(storage));
  return {
    hasOtherVersions: ({ storage }) => (storedAs.get(storagePrefix(storage))?.length ?? 0) > 1,
    find: (group, version, resource) => byPath.get(`${group}/${version}/${resource}`),
    definitions,
    groups: [...groups].map(([name, versions]) => ({ name, versions: [...versions] })),
  };
}
