// Which resources are served: by group, version and plural name; what discovery lists. Built-in kinds stay; custom ones
// come and go while the server runs.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { compareVersionNames } from "#machinery/version-order.ts";
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

const pathOf = ({ group, version, resource }: ResourceDefinition): string =>
  `${group}/${version}/${resource}`;

function index(definitions: readonly ResourceDefinition[]): Served {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of definitions) {
    const versions = groups.get(group) ?? new Set<string>();
    groups.set(group, versions.add(version));
  }
  const ordered = [...groups].map(([name, set]) => {
    const versions = [...set];
    // Built-in versions stand in their order; those of custom resources have theirs by their names.
    const custom = definitions.some(({ group, schema }) => group === name && schema !== undefined);
    return { name, versions: custom ? versions.sort(compareVersionNames) : versions };
  });
  return {
    byPath: new Map(definitions.map((one) => [pathOf(one), one])),
    byStorage: Map.groupBy(definitions, ({ storage }) => storagePrefix(storage)),
    definitions,
    groups: ordered,
  };
}

export function createRegistry(builtIn: readonly ResourceDefinition[]): Registry {
  let served = index(builtIn);
  // What is built in cannot be taken over.
  const paths = new Set(builtIn.map(pathOf));
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
      const own = definitions.filter((one) => !paths.has(pathOf(one)));
      served = index([...builtIn, ...own]);
      for (const listener of [...listeners]) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
