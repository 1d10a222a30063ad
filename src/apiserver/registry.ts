// Which resources are served: by group, version and plural name; what discovery lists. Built-in kinds stay; custom ones
// come and go while the server runs.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { storagePrefix } from "./stored-object.ts";

export interface Registry {
  find(group: string, version: string, resource: string): ResourceDefinition | undefined;
  /** The same objects are served in other versions too. */
  hasOtherVersions(definition: ResourceDefinition): boolean;
  readonly definitions: readonly ResourceDefinition[];
  /** Groups in preference order, each with its versions, the preferred first. */
  readonly groups: readonly { readonly name: string; readonly versions: readonly string[] }[];
  /** Serves these beside the built-in ones, instead of those that were custom before. */
  replaceCustom(definitions: readonly ResourceDefinition[]): void;
  /** Calls `listener` after what is served has changed. */
  onChange(listener: () => void): () => void;
}

interface Served extends Pick<Registry, "definitions" | "groups"> {
  readonly byPath: ReadonlyMap<string, ResourceDefinition>;
  readonly byStorage: ReadonlyMap<string, readonly ResourceDefinition[]>;
}

function index(definitions: readonly ResourceDefinition[]): Served {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of definitions) {
    const versions = groups.get(group) ?? new Set<string>();
    groups.set(group, versions.add(version));
  }
  return {
    byPath: new Map(definitions.map((one) => [`${one.group}/${one.version}/${one.resource}`, one])),
    byStorage: Map.groupBy(definitions, ({ storage }) => storagePrefix(storage)),
    definitions,
    groups: [...groups].map(([name, versions]) => ({ name, versions: [...versions] })),
  };
}

export function createRegistry(builtIn: readonly ResourceDefinition[]): Registry {
  let served = index(builtIn);
  const listeners = new Set<() => void>();
  return {
    find: (group, version, resource) => served.byPath.get(`${group}/${version}/${resource}`),
    hasOtherVersions: ({ storage }) => (served.byStorage.get(storagePrefix(storage))?.length ?? 0) > 1,
    get definitions() {
      return served.definitions;
    },
    get groups() {
      return served.groups;
    },
    replaceCustom(definitions) {
      served = index([...builtIn, ...definitions]);
      for (const listener of [...listeners]) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
