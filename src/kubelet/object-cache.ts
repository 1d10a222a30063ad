// ConfigMaps and Secrets of this node's pods. A node may read only those that its pods name, one by one, so
// answers are kept for a short time instead of watching everything.

import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { ConfigMaps, Secrets } from "#client/refs.ts";
import type { ConfigMap, Secret } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { objectsCachedMax } from "./limits.ts";

interface Entry {
  readonly atMs: number;
  readonly object: Promise<ConfigMap | Secret | undefined>;
}

export interface ObjectCache {
  /** Undefined when there is none. Rejects when the API server cannot tell. */
  configMap(namespace: string, name: string, ageMsMax: number): Promise<DeepReadonly<ConfigMap> | undefined>;
  secret(namespace: string, name: string, ageMsMax: number): Promise<DeepReadonly<Secret> | undefined>;
}

export function createObjectCache(client: Client, clock: Clock): ObjectCache {
  const entries = new Map<string, Entry>();

  function get(
    ref: typeof ConfigMaps,
    namespace: string,
    name: string,
    ageMsMax: number,
  ): Promise<ConfigMap | Secret | undefined> {
    const key = `${ref.resource}/${namespace}/${name}`;
    const known = entries.get(key);
    if (known !== undefined && clock.monotonic() - known.atMs <= ageMsMax) return known.object;
    const object = client.get<ConfigMap & Secret>(ref, namespace, name).catch((error: unknown) => {
      if (isApiError(error, "NotFound")) return undefined;
      entries.delete(key);
      throw error;
    });
    entries.delete(key);
    if (entries.size >= objectsCachedMax) entries.delete(entries.keys().next().value as string);
    entries.set(key, { atMs: clock.monotonic(), object });
    return object;
  }

  return {
    configMap: (namespace, name, age) => get(ConfigMaps, namespace, name, age),
    secret: (namespace, name, age) => get(Secrets, namespace, name, age) as Promise<Secret | undefined>,
  };
}
