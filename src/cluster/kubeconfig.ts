// A cluster's entries in the user's kubeconfig: put in on up, taken out on down. Other entries are left alone.

import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { parseKubeConfig, type KubeConfig } from "#client/kubeconfig.ts";
import { readIfExists, writeAtomically } from "#host/files.ts";

type Named = { readonly name: string };

function without<T extends Named>(entries: readonly T[] | undefined | null, name: string): T[] {
  return (entries ?? []).filter((entry) => entry.name !== name);
}

/** `config` with the one cluster, context and user of `ours` under `name`, which becomes current. Pure. */
export function withEntries(config: KubeConfig, ours: KubeConfig, name: string): KubeConfig {
  const cluster = ours.clusters?.[0]?.cluster;
  const user = ours.users?.[0]?.user;
  if (cluster === undefined || user === undefined)
    throw new Error("the server's kubeconfig has no cluster or user");
  return {
    ...config,
    apiVersion: "v1",
    kind: "Config",
    preferences: config.preferences ?? {},
    clusters: [...without(config.clusters, name), { name, cluster }],
    contexts: [...without(config.contexts, name), { name, context: { cluster: name, user: name } }],
    users: [...without(config.users, name), { name, user }],
    "current-context": name,
  };
}

/** `config` without them; the current context is unset if it was ours. Pure. */
export function withoutEntries(config: KubeConfig, name: string): KubeConfig {
  return {
    ...config,
    clusters: without(config.clusters, name),
    contexts: without(config.contexts, name),
    users: without(config.users, name),
    "current-context": config["current-context"] === name ? "" : config["current-context"],
  };
}

export function hasEntries(config: KubeConfig, name: string): boolean {
  return [config.clusters, config.contexts, config.users].some((list) =>
    list?.some((entry) => entry.name === name),
  );
}

async function save(path: string, config: KubeConfig): Promise<void> {
  const { stringify } = await import("yaml");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeAtomically(path, stringify(config), 0o600);
  chmodSync(path, 0o600);
}

/** Merges the server's kubeconfig file into the user's. True when that changed it. */
export async function mergeKubeconfig(path: string, serverFile: string, name: string): Promise<boolean> {
  const text = readIfExists(path) ?? "";
  const before = await parseKubeConfig(text);
  const ours = await parseKubeConfig(readIfExists(serverFile) ?? "");
  const after = withEntries(before, ours, name);
  if (JSON.stringify(after) === JSON.stringify(before)) return false;
  await save(path, after);
  return true;
}

export async function unsetKubeconfig(path: string, name: string): Promise<boolean> {
  const text = readIfExists(path);
  if (text === undefined) return false;
  const config = await parseKubeConfig(text);
  if (!hasEntries(config, name)) return false;
  await save(path, withoutEntries(config, name));
  return true;
}
