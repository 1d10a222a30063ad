// The kubeconfig file: its shape, which entries a context names, and the access they give.
// Reading files is at the bottom; everything else is pure.

import { dirname, resolve } from "node:path";
import { readPlainYaml } from "#machinery/codec/yaml-plain.ts";

export interface KubeConfig {
  apiVersion?: string;
  kind?: string;
  preferences?: Record<string, unknown>;
  clusters?: { name: string; cluster: ClusterEntry }[];
  contexts?: { name: string; context: { cluster?: string; user?: string; namespace?: string } }[];
  users?: { name: string; user: UserEntry }[];
  "current-context"?: string;
}

export interface ClusterEntry {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
}

export interface UserEntry {
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
}

/** All that a transport needs to reach a server as somebody. PEM texts, not paths. */
export interface ServerAccess {
  readonly server: string;
  readonly certificateAuthority?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
}

export interface ResolvedContext {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

/** The entries that `context` (or the current one) names. Throws with what kubectl says when one is missing. */
export function resolveContext(
  config: KubeConfig,
  context = config["current-context"] ?? "",
): ResolvedContext {
  const named = config.contexts?.find((entry) => entry.name === context)?.context;
  if (named === undefined) {
    throw new Error(
      context === ""
        ? "no context is set: use 'kubectl config use-context NAME'"
        : `context ${JSON.stringify(context)} does not exist`,
    );
  }
  const cluster = config.clusters?.find((entry) => entry.name === named.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`cluster ${JSON.stringify(named.cluster ?? "")} does not exist`);
  const user = config.users?.find((entry) => entry.name === named.user)?.user ?? {};
  return { name: context, namespace: named.namespace ?? "default", cluster, user };
}

/** A kubeconfig with one cluster, user and context, all data inline. */
export function makeKubeConfig(options: { name: string; user?: string; access: ServerAccess }): KubeConfig {
  const { name, user = name, access } = options;
  const inline = (text: string): string => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          ...(access.certificateAuthority === undefined
            ? {}
            : { "certificate-authority-data": inline(access.certificateAuthority) }),
          server: access.server,
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    "current-context": name,
    preferences: {},
    users: [
      {
        name: user,
        user: {
          ...(access.clientCertificate === undefined
            ? {}
            : { "client-certificate-data": inline(access.clientCertificate) }),
          ...(access.clientKey === undefined ? {} : { "client-key-data": inline(access.clientKey) }),
          ...(access.token === undefined ? {} : { token: access.token }),
        },
      },
    ],
  };
}

async function dataOrFile(
  data: string | undefined,
  path: string | undefined,
  dir: string,
): Promise<string | undefined> {
  if (data !== undefined) return Buffer.from(data, "base64").toString();
  return path === undefined ? undefined : readText(resolve(dir, path));
}

/** Loaded where an entry names a file: most hold their data, and a short-lived client feels each module. */
async function readText(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path, "utf8");
}

/** Reads what the entries point to. Relative paths are relative to the file that names them (`dir`). */
export async function accessOf({ cluster, user }: ResolvedContext, dir: string): Promise<ServerAccess> {
  const [certificateAuthority, clientCertificate, clientKey, tokenText] = await Promise.all([
    dataOrFile(cluster["certificate-authority-data"], cluster["certificate-authority"], dir),
    dataOrFile(user["client-certificate-data"], user["client-certificate"], dir),
    dataOrFile(user["client-key-data"], user["client-key"], dir),
    user.tokenFile === undefined ? undefined : readText(resolve(dir, user.tokenFile)),
  ]);
  const token = tokenText?.trim() ?? user.token;
  return {
    server: cluster.server ?? "http://localhost:8080",
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(cluster["insecure-skip-tls-verify"] === undefined
      ? {}
      : { insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"] }),
    ...(cluster["tls-server-name"] === undefined ? {} : { tlsServerName: cluster["tls-server-name"] }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(token === undefined ? {} : { token }),
  };
}

/** Parses kubeconfig text. YAML; JSON, which our own files are, is YAML too and parses faster. */
export async function parseKubeConfig(text: string): Promise<KubeConfig> {
  if (text.trimStart().startsWith("{")) return JSON.parse(text) as KubeConfig;
  const plain = readPlainYaml(text);
  if (plain !== undefined) return (plain.value as KubeConfig | null) ?? {};
  const { parse } = await import("yaml");
  return ((parse(text) as KubeConfig | null) ?? {}) as KubeConfig;
}

/** The access that a kubeconfig file's current (or named) context gives. */
export async function loadAccess(path: string, context?: string): Promise<ServerAccess> {
  const config = await parseKubeConfig(await readText(path));
  return accessOf(resolveContext(config, context), dirname(resolve(path)));
}
