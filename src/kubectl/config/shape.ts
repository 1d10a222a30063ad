// A kubeconfig as kubectl writes it: entries by name, fields in their order, nothing empty. Pure.

import type { KubeConfig } from "#client/kubeconfig.ts";
import { isObject, type JsonObject } from "#machinery/json-object.ts";

export type Section = "clusters" | "contexts" | "users";

export const sections: readonly Section[] = ["clusters", "contexts", "users"];

/** The field of an entry that holds what it is about. */
export const inner: Readonly<Record<Section, string>> = {
  clusters: "cluster",
  contexts: "context",
  users: "user",
};

export type FieldType = "string" | "bool" | "bytes" | "other" | { readonly [field: string]: FieldType };

/** Fields of each section's entries in the order in which they are written, with what a value of theirs is. */
export const fields: Readonly<Record<Section, { readonly [field: string]: FieldType }>> = {
  clusters: {
    server: "string",
    "tls-server-name": "string",
    "insecure-skip-tls-verify": "bool",
    "certificate-authority": "string",
    "certificate-authority-data": "bytes",
    "proxy-url": "string",
    "disable-compression": "bool",
    extensions: "other",
  },
  contexts: { cluster: "string", user: "string", namespace: "string", extensions: "other" },
  users: {
    "client-certificate": "string",
    "client-certificate-data": "bytes",
    "client-key": "string",
    "client-key-data": "bytes",
    token: "string",
    tokenFile: "string",
    as: "string",
    "as-uid": "string",
    "as-groups": "other",
    "as-user-extra": "other",
    username: "string",
    password: "string",
    "auth-provider": "other",
    exec: {
      command: "string",
      args: "other",
      env: "other",
      apiVersion: "string",
      installHint: "string",
      provideClusterInfo: "bool",
      interactiveMode: "string",
    },
    extensions: "other",
  },
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === false ||
  (Array.isArray(value) && value.length === 0);

function orderedEntry(section: Section, entry: JsonObject): JsonObject {
  const out: JsonObject = {};
  const order = Object.keys(fields[section]);
  const names = [...order, ...Object.keys(entry).filter((name) => !order.includes(name))];
  for (const name of names) {
    const value = entry[name];
    if (isEmpty(value)) continue;
    out[name] = name === "exec" && isObject(value) ? execEntry(value) : value;
  }
  return out;
}

/** A credential plug-in shows its environment and whether it gets the cluster, also where they are not set. */
function execEntry(exec: JsonObject): JsonObject {
  const { command, args, env, apiVersion, installHint, interactiveMode, provideClusterInfo, ...rest } = exec;
  return {
    command: command ?? "",
    args: args ?? null,
    env: env ?? null,
    apiVersion: apiVersion ?? "",
    ...(isEmpty(installHint) ? {} : { installHint }),
    provideClusterInfo: provideClusterInfo ?? false,
    ...(isEmpty(interactiveMode) ? {} : { interactiveMode }),
    ...rest,
  };
}

const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

export interface Entry {
  readonly name: string;
  readonly value: JsonObject;
}

export function entriesOf(config: KubeConfig, section: Section): Entry[] {
  const listed = (config[section] ?? []) as unknown as JsonObject[];
  return listed.map((entry) => ({
    name: String(entry["name"]),
    value: isObject(entry[inner[section]]) ? (entry[inner[section]] as JsonObject) : {},
  }));
}

export function withEntries(config: KubeConfig, section: Section, entries: readonly Entry[]): KubeConfig {
  return {
    ...config,
    [section]: entries.map(({ name, value }) => ({ name, [inner[section]]: value })),
  };
}

/** The config as `kubectl config view` and every written file have it. */
export function canonical(config: KubeConfig): JsonObject {
  const list = (section: Section): JsonObject[] | null => {
    const entries = entriesOf(config, section).sort(byName);
    if (entries.length === 0) return null;
    return entries.map(({ name, value }) => ({
      name,
      [inner[section]]: orderedEntry(section, value),
    }));
  };
  const extra = config as JsonObject;
  return {
    kind: "Config",
    apiVersion: "v1",
    ...(isObject(extra["preferences"]) && Object.keys(extra["preferences"]).length > 0
      ? { preferences: extra["preferences"] }
      : {}),
    clusters: list("clusters"),
    users: list("users"),
    contexts: list("contexts"),
    "current-context": config["current-context"] ?? "",
    ...(extra["extensions"] === undefined ? {} : { extensions: extra["extensions"] }),
  };
}
