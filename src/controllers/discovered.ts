// Which resources the server serves, as the controllers that look after all kinds need it.

import type { Client, ResourceRef } from "#client/client.ts";
import { parseApiVersion } from "#machinery/meta.ts";

export interface Discovered {
  readonly ref: ResourceRef;
  readonly verbs: readonly string[];
}

interface ResourceList {
  readonly groupVersion: string;
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly group?: string;
    readonly version?: string;
    readonly verbs: readonly string[];
  }[];
}

interface GroupList {
  readonly groups?: readonly {
    readonly name: string;
    /** The preferred one first. */
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
}

/** Every resource once, in the version of its group that comes first of those that have it; and what could not be asked. */
export async function discover(
  client: Client,
): Promise<{ resources: Discovered[]; failed: { groupVersion: string; error: Error }[] }> {
  const { groups = [] } = await client.json<GroupList>("GET", "/apis");
  const versions = [
    "v1",
    ...groups.flatMap((group) => group.versions.map(({ groupVersion }) => groupVersion)),
  ];
  const seen = new Set<string>();
  const resources: Discovered[] = [];
  const failed: { groupVersion: string; error: Error }[] = [];
  for (const groupVersion of versions) {
    const path = groupVersion.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
    try {
      const list = await client.json<ResourceList>("GET", path);
      for (const { name, kind, namespaced, verbs, group, version } of list.resources ?? []) {
        if (name.includes("/")) continue;
        const own = parseApiVersion(list.groupVersion);
        const id = `${own.group}/${name}`;
        if (seen.has(id)) continue;
        seen.add(id);
        const ref = {
          group: group || own.group,
          version: version || own.version,
          resource: name,
          kind,
          namespaced,
        };
        resources.push({ ref, verbs });
      }
    } catch (thrown) {
      failed.push({ groupVersion, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
  }
  return { resources, failed };
}
