// What admission plug-ins read: the server's own objects, from its caches.

import type { Random } from "#base/random.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { prefixEnd } from "#store/store.ts";
import { serviceAddress } from "./custom/service-address.ts";
import type { AdmissionReads } from "./admission/contract.ts";
import type { Caches } from "./caches.ts";
import type { Registry } from "./registry.ts";
import { storageKey, storagePrefix } from "./stored-object.ts";

export function admissionReads(registry: Registry, caches: Caches, random: Random): AdmissionReads {
  const known = new Set<string>();
  const has = (group: string, resource: string): boolean => {
    const name = `${resource}.${group}`;
    if (!known.has(name)) {
      if (!registry.definitions.some((one) => one.group === group && one.resource === resource)) return false;
      known.add(name);
    }
    return caches.of({ group, resource }).size > 0;
  };
  return {
    async get<T extends KubeObject>(
      group: string,
      resource: string,
      namespace: string,
      name: string,
    ): Promise<T | undefined> {
      await caches.waitForNewest();
      return caches.of({ group, resource }).get(storageKey({ group, resource }, namespace, name))?.object as
        T | undefined;
    },
    has,
    /** Without a wait: what has just been written may be missed, as by a watch. */
    list<T extends KubeObject>(group: string, resource: string, namespace: string): Promise<readonly T[]> {
      if (!has(group, resource)) return Promise.resolve([]);
      const start = `${storagePrefix({ group, resource })}${namespace === "" ? "" : `${namespace}/`}`;
      const found = caches.of({ group, resource }).range(start, prefixEnd(start));
      return Promise.resolve(Array.from(found, ({ object }) => object as T));
    },
    addressOf: (namespace, name, port) => serviceAddress(caches, random, { namespace, name, port }),
    resourceOf: (apiVersion, kind) =>
      registry.definitions.find(
        (one) =>
          one.kind === kind &&
          (one.group === "" ? one.version : `${one.group}/${one.version}`) === apiVersion,
      ),
  };
}
