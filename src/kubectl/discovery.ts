// What the server serves, and which resource a word on the command line means: `po`, `pods.v1`, `deploy.apps`, `all`.

import type { Client, ResourceRef } from "#client/client.ts";
import { groupResource } from "#machinery/meta.ts";

export interface Resource extends ResourceRef {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  /** Place of this version in its group: 0 is the preferred one. */
  readonly rank: number;
  readonly stale: boolean;
  readonly resources: readonly Resource[];
}

export interface Discovery {
  /** In the server's order: the core group first, of each group the preferred version first. */
  readonly groupVersions: readonly GroupVersion[];
  /** The resource a word means; looks at the server again before it gives up. */
  find(word: string): Promise<Resource | undefined>;
  /** Without a version: the kind as any version has it, addressed in none. */
  findKind(apiVersion: string, kind: string): Promise<Resource | undefined>;
  /** The resources of a category such as `all`. */
  category(word: string): readonly Resource[];
}

export interface DiscoveryOptions {
  /** How often a server that cannot be reached is asked, each time told in the log; 0: once, and not told. */
  readonly attempts?: number;
  /** Ask, whatever is remembered. */
  readonly fresh?: boolean;
}

/** `pod`, `deployment.apps`: how kubectl calls what it names. */
export const kindName = ({ group, kind }: { readonly group: string; readonly kind: string }): string =>
  groupResource({ group, resource: kind.toLowerCase() });

interface AggregatedList {
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      freshness?: string;
      resources?: {
        resource: string;
        responseKind?: { group?: string; version?: string; kind: string };
        scope: string;
        singularResource?: string;
        shortNames?: string[];
        categories?: string[];
        verbs?: string[];
        subresources?: { subresource: string }[];
      }[];
    }[];
  }[];
}

export function readAggregated(lists: readonly AggregatedList[]): GroupVersion[] {
  return lists.flatMap((list) =>
    (list.items ?? []).flatMap((item) => {
      const group = item.metadata?.name ?? "";
      return (item.versions ?? []).map((entry, rank) => ({
        group,
        version: entry.version,
        rank,
        stale: entry.freshness === "Stale",
        resources: (entry.resources ?? []).map((resource) => ({
          group,
          version: entry.version,
          resource: resource.resource,
          kind: resource.responseKind?.kind ?? "",
          namespaced: resource.scope === "Namespaced",
          singular: resource.singularResource ?? "",
          shortNames: resource.shortNames ?? [],
          categories: resource.categories ?? [],
          verbs: resource.verbs ?? [],
          subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
        })),
      }));
    }),
  );
}

const acceptAggregated =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/** Asks the server. One without aggregated discovery is asked group by group. */
export async function fetchGroupVersions(client: Client): Promise<GroupVersion[]> {
  const { collectBody } = await import("#client/body.ts");
  const { errorFromAnswer } = await import("#client/client.ts");
  const fetch = async (path: string): Promise<{ kind?: string }> => {
    const answer = await client.raw({ method: "GET", path, headers: { accept: acceptAggregated } });
    const text = (await collectBody(answer.body)).toString();
    if (answer.status === 404) return { kind: "APIGroupDiscoveryList" };
    if (answer.status >= 400) throw errorFromAnswer(answer.status, text);
    return JSON.parse(text) as { kind?: string };
  };
  const roots = await Promise.all([fetch("/api"), fetch("/apis")]);
  if (roots.every(({ kind }) => kind === "APIGroupDiscoveryList"))
    return readAggregated(roots as AggregatedList[]);
  const { fetchClassic } = await import("./discovery-classic.ts");
  return fetchClassic(client, roots);
}

interface Word {
  readonly name: string;
  readonly version?: string;
  readonly group?: string;
}

/** `pods`, `deployments.apps`, `deployments.v1.apps`, `pods.v1.`: every way to read it, the fullest first. */
function readings(word: string): Word[] {
  const [name = "", ...rest] = word.split(".");
  if (rest.length === 0) return [{ name }];
  const byGroup = { name, group: rest.join(".") };
  return rest.length === 1
    ? [byGroup]
    : [{ name, version: rest[0] as string, group: rest.slice(1).join(".") }, byGroup];
}

/** Those of a group; without its full name, those of the groups that begin so. */
function inGroup(groupVersions: readonly GroupVersion[], { version, group }: Word): readonly GroupVersion[] {
  if (group === undefined) return groupVersions;
  const exact = groupVersions.filter(
    (one) => one.group === group && (version === undefined || one.version === version),
  );
  if (exact.length > 0 || version !== undefined || group === "") return exact;
  return groupVersions.filter((one) => one.group.startsWith(group));
}

export function findResource(groupVersions: readonly GroupVersion[], word: string): Resource | undefined {
  for (const reading of readings(word.toLowerCase())) {
    const candidates = inGroup(groupVersions, reading).flatMap(({ resources }) => resources);
    const { name } = reading;
    const found =
      candidates.find(({ resource }) => resource === name) ??
      candidates.find(({ singular, kind }) => (singular || kind.toLowerCase()) === name) ??
      candidates.find(({ shortNames }) => shortNames.includes(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Discovery over what was remembered; `refresh` asks the server anew. */
export function makeDiscovery(
  remembered: readonly GroupVersion[],
  refresh: (() => Promise<readonly GroupVersion[]>) | undefined,
): Discovery {
  let groupVersions = remembered;
  let fresh = refresh === undefined;
  const orAgain = async <T>(look: () => T | undefined): Promise<T | undefined> => {
    const found = look();
    if (found !== undefined || fresh || refresh === undefined) return found;
    fresh = true;
    groupVersions = await refresh();
    return look();
  };
  return {
    get groupVersions() {
      return groupVersions;
    },
    find: (word) => orAgain(() => findResource(groupVersions, word)),
    findKind: (apiVersion, kind) =>
      orAgain(() => {
        if (apiVersion === "") {
          const any = groupVersions
            .flatMap(({ resources }) => resources)
            .find((resource) => resource.kind === kind);
          return any === undefined ? undefined : { ...any, group: "", version: "" };
        }
        return groupVersions
          .find(({ group, version }) => (group === "" ? version : `${group}/${version}`) === apiVersion)
          ?.resources.find((resource) => resource.kind === kind);
      }),
    category: (word) => {
      const seen = new Set<string>();
      return groupVersions
        .flatMap(({ resources }) => resources)
        .filter(({ categories, group, resource }) => {
          if (!categories.includes(word) || seen.has(`${group}/${resource}`)) return false;
          seen.add(`${group}/${resource}`);
          return true;
        });
    },
  };
}
