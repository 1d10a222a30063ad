// Serves what CustomResourceDefinitions ask for, as long as they do: each served version of an established definition
// becomes a definition of the registry as soon as the watch cache has it. What compiles them is loaded with the first.

import { createHash } from "node:crypto";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { CustomResourceDefinition } from "#machinery/gen/types/apiextensions-v1.ts";
import { prefixEnd } from "#store/store.ts";
import type { Caches } from "../caches.ts";
import type { Registry } from "../registry.ts";
import { storagePrefix, type CachedObject } from "../stored-object.ts";
import type { CompileDefinition } from "./compile-definition.ts";

const crds = { group: "apiextensions.k8s.io", resource: "customresourcedefinitions" };

interface Known {
  readonly from: CachedObject;
  /** Of all that the outcome depends on. */
  readonly digest: string;
  readonly definitions: readonly ResourceDefinition[];
}

/** Definitions are large, and are kept once. */
const digestOf = (parts: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64");

const conditionIs = (crd: CustomResourceDefinition, type: string): boolean =>
  crd.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ===
  true;

const isServed = (crd: CustomResourceDefinition): boolean => conditionIs(crd, "Established");

export interface CustomDefinitions {
  stop(): void;
}

export async function followDefinitions(
  { caches, registry, log }: { caches: Caches; registry: Registry; log: Logger },
  load: () => Promise<CompileDefinition>,
): Promise<CustomDefinitions> {
  let known = new Map<string, Known>();
  let compile: CompileDefinition | undefined;
  let loading: Promise<void> | undefined;
  let seen: { cache: unknown; changes: number } | undefined;
  const prefix = storagePrefix(crds);

  /** Looks again when that is there. */
  function after(loaded: Promise<unknown>): void {
    const done = loaded.then(
      () => {
        seen = undefined;
        if (loading === done) loading = undefined;
        rebuild();
      },
      (error: unknown) => {
        if (loading === done) loading = undefined;
        log.error("custom resources cannot be served", { error: toError(error) });
      },
    );
    loading = done;
  }

  function compiled(from: CachedObject, before: Known | undefined): Known | undefined {
    if (before?.from === from) return before;
    const crd = from.object as CustomResourceDefinition;
    if (!isServed(crd)) return undefined;
    if (compile === undefined) {
      if (loading === undefined) after(load().then((loaded) => (compile = loaded)));
      return undefined;
    }
    const digest = digestOf([
      crd.metadata?.uid,
      crd.spec,
      crd.status?.acceptedNames,
      conditionIs(crd, "Terminating"),
    ]);
    if (before?.digest === digest) return { ...before, from };
    try {
      const outcome = compile(crd);
      if (!(outcome instanceof Promise)) return { from, digest, definitions: outcome };
      after(outcome);
      return undefined;
    } catch (error) {
      log.error("a custom resource cannot be served", { name: crd.metadata?.name, error: toError(error) });
      return { from, digest, definitions: [] };
    }
  }

  function rebuild(): void {
    const cache = caches.of(crds);
    if (seen !== undefined && seen.cache === cache && seen.changes === cache.changes) return;
    seen = { cache, changes: cache.changes };
    const next = new Map<string, Known>();
    for (const object of cache.range(prefix, prefixEnd(prefix))) {
      const outcome = compiled(object, known.get(object.key));
      if (outcome !== undefined) next.set(object.key, outcome);
    }
    const same =
      next.size === known.size &&
      [...next].every(([key, { definitions }]) => known.get(key)?.definitions === definitions);
    known = next;
    if (!same) registry.replaceCustom([...known.values()].flatMap(({ definitions }) => definitions));
  }

  const stop = caches.onRevision(rebuild);
  rebuild();
  while (loading !== undefined) await loading;
  return { stop };
}
