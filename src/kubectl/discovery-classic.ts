// Discovery from a server that knows only the classic documents: /api, /apis, and one list per group version.

import type { Client } from "#client/client.ts";
import type { GroupVersion } from "./discovery.ts";

interface ClassicResource {
  name: string;
  singularName?: string;
  namespaced: boolean;
  kind: string;
  verbs?: string[];
  shortNames?: string[];
  categories?: string[];
}

interface ClassicRoot {
  versions?: string[];
  groups?: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[];
}

export async function fetchClassic(client: Client, roots: readonly unknown[]): Promise<GroupVersion[]> {
  const places = roots.flatMap((root) => {
    const { versions = [], groups = [] } = root as ClassicRoot;
    return [
      ...versions.map((version, rank) => ({ group: "", version, rank })),
      ...groups.flatMap(({ name, versions: served, preferredVersion }) =>
        served
          .map(({ version }) => version)
          .sort((a, b) => Number(b === preferredVersion?.version) - Number(a === preferredVersion?.version))
          .map((version, rank) => ({ group: name, version, rank })),
      ),
    ];
  });
  return Promise.all(
    places.map(async ({ group, version, rank }) => {
      const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
      const { resources = [] } = await client.json<{ resources?: ClassicResource[] }>("GET", path);
      return {
        group,
        version,
        rank,
        stale: false,
        resources: resources
          .filter(({ name }) => !name.includes("/"))
          .map((entry) => ({
            group,
            version,
            resource: entry.name,
            kind: entry.kind,
            namespaced: entry.namespaced,
            singular: entry.singularName ?? "",
            shortNames: entry.shortNames ?? [],
            categories: entry.categories ?? [],
            verbs: entry.verbs ?? [],
            subresources: resources
              .filter(({ name }) => name.startsWith(`${entry.name}/`))
              .map(({ name }) => name.slice(entry.name.length + 1)),
          })),
      };
    }),
  );
}
