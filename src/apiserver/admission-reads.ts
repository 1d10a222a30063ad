// What admission plug-ins read, and the little that they write: the server's own objects, from its caches.

import type { Random } from "#base/random.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { prefixEnd, type Compare, type Operation, type Store } from "#store/store.ts";
import { serviceAddress } from "./custom/service-address.ts";
import type { AdmissionReads } from "./admission/contract.ts";
import type { Caches } from "./caches.ts";
import type { Registry } from "./registry.ts";
import { storageKey, storagePrefix } from "./stored-object.ts";
import { toStored } from "./versions.ts";

interface AdmissionDeps {
  readonly registry: Registry;
  readonly caches: Caches;
  readonly random: Random;
  readonly store: Store;
}

/** One transaction: all of them, if each is still as it was read. */
async function replaceAll(
  { registry, caches, store }: AdmissionDeps,
  group: string,
  resource: string,
  objects: readonly KubeObject[],
): Promise<boolean> {
  const definition = registry.definitions.find((one) => one.group === group && one.resource === resource);
  if (definition === undefined) return false;
  const compares: Compare[] = [];
  const operations: Operation[] = [];
  for (const object of objects) {
    const { namespace = "", name = "", resourceVersion } = object.metadata ?? {};
    const key = storageKey(definition.storage, namespace, name);
    const old = caches.of(definition.storage).get(key);
    if (old === undefined || String(old.revision) !== resourceVersion) return false;
    compares.push({ key, modRevision: old.revision });
    operations.push({ put: key, value: (await toStored(definition, object, old.managedFields)).pack() });
  }
  const result = await store.txn(compares, operations);
  await (result.ok ? caches.waitFor(result.revision) : caches.waitForNewest());
  return result.ok;
}

export function admissionReads(deps: AdmissionDeps): AdmissionReads {
  const { registry, caches, random } = deps;
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
    replaceAll: (group, resource, objects) => replaceAll(deps, group, resource, objects),
    addressOf: (namespace, name, port) => serviceAddress(caches, random, { namespace, name, port }),
    resourceOf: (apiVersion, kind) =>
      registry.definitions.find(
        (one) =>
          one.kind === kind &&
          (one.group === "" ? one.version : `${one.group}/${one.version}`) === apiVersion,
      ),
  };
}
