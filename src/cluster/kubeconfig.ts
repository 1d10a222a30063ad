// A cluster's entries in the user's kubeconfig: put in on up, taken out on down. Other entries are left alone.

import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "#base/clock.ts";
import { parseKubeConfig, type KubeConfig } from "#client/kubeconfig.ts";
import { readIfExists, writeAtomically } from "#host/files.ts";
import { waitForLock } from "#host/lock.ts";

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

const lockMsMax = 10_000;

/** Reads, changes and writes the file as one step, as far as our own processes go. True when that changed it. */
async function edit(
  path: string,
  clock: Clock,
  change: (config: KubeConfig) => KubeConfig,
): Promise<boolean> {
  const lock = await waitForLock(`kubeconfig ${path}`, lockMsMax, clock);
  if (lock === undefined) throw new Error(`another process is changing ${path}`);
  try {
    const before = await parseKubeConfig(readIfExists(path) ?? "");
    const after = change(before);
    if (JSON.stringify(after) === JSON.stringify(before)) return false;
    const { stringify } = await import("yaml");
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeAtomically(path, stringify(after), 0o600);
    chmodSync(path, 0o600);
    return true;
  } finally {
    await lock.release();
  }
}

/** Merges the server's kubeconfig file into the user's. True when that changed it. */
export async function mergeKubeconfig(
  path: string,
  serverFile: string,
  name: string,
  clock: Clock,
): Promise<boolean> {
  const ours = await parseKubeConfig(readIfExists(serverFile) ?? "");
  return edit(path, clock, (config) => withEntries(config, ours, name));
}

export function unsetKubeconfig(path: string, name: string, clock: Clock): Promise<boolean> {
  return edit(path, clock, (config) => (hasEntries(config, name) ? withoutEntries(config, name) : config));
}
