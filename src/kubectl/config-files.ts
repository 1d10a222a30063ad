// Which kubeconfig files count (--kubeconfig, else $KUBECONFIG, else ~/.kube/config), and what they say together:
// of several entries of one name the first file's wins. Paths inside a file are relative to that file.

import { readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { parseKubeConfig, type KubeConfig } from "#client/kubeconfig.ts";
import { CommandError } from "./command.ts";

export interface ConfigFile {
  readonly path: string;
  readonly config: KubeConfig;
}

export interface LoadedConfig {
  /** Every file that counts, in order, whether it exists or not. */
  readonly paths: readonly string[];
  /** The file that --kubeconfig names. */
  readonly explicitPath?: string;
  /** Those that exist. */
  readonly files: readonly ConfigFile[];
  /** All of them together, their paths made absolute. */
  readonly merged: KubeConfig;
}

export interface ConfigPlace {
  /** --kubeconfig, or "". */
  readonly flag: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
}

export function configPaths({ flag, env, home, cwd }: ConfigPlace): string[] {
  if (flag !== "") return [resolve(cwd, flag)];
  const named = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  if (named.length > 0) return [...new Set(named)].map((path) => resolve(cwd, path));
  return [join(home, ".kube", "config")];
}

const pathFields = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

function absolutePaths<T extends object>(entry: T | undefined, dir: string): T {
  const out = { ...entry } as Record<string, unknown>;
  for (const field of pathFields) {
    const value = out[field];
    if (typeof value === "string" && value !== "" && !isAbsolute(value)) out[field] = join(dir, value);
  }
  return out as T;
}

const first = <T extends { name: string }>(entries: readonly T[]): T[] =>
  [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()].reverse();

export function mergeConfigs(files: readonly ConfigFile[]): KubeConfig {
  const current = files.map(({ config }) => config["current-context"] ?? "").find((name) => name !== "");
  return {
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    clusters: first(
      files.flatMap(({ path, config }) =>
        (config.clusters ?? []).map(({ name, cluster }) => ({
          name,
          cluster: absolutePaths(cluster, dirname(path)),
        })),
      ),
    ),
    contexts: first(files.flatMap(({ config }) => config.contexts ?? [])),
    users: first(
      files.flatMap(({ path, config }) =>
        (config.users ?? []).map(({ name, user }) => ({ name, user: absolutePaths(user, dirname(path)) })),
      ),
    ),
    "current-context": current ?? "",
  };
}

async function readConfig(path: string, flag: string): Promise<ConfigFile | undefined> {
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const mustExist = flag !== "";
    if (code === "ENOENT" && !mustExist) return undefined;
    const why =
      code === "ENOENT" ? "no such file or directory" : code === "EACCES" ? "permission denied" : code;
    throw new CommandError(
      mustExist && code === "ENOENT"
        ? `stat ${flag}: ${why}`
        : `error loading config file "${path}": open ${path}: ${why}`,
    );
  }
  try {
    return { path, config: await parseKubeConfig(text) };
  } catch (thrown) {
    throw new CommandError(
      `error loading config file "${path}": ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
}

export async function loadConfig(place: ConfigPlace): Promise<LoadedConfig> {
  const paths = configPaths(place);
  const explicit = place.flag !== "";
  const read = await Promise.all(paths.map((path) => readConfig(path, place.flag)));
  const files = read.filter((file) => file !== undefined);
  return {
    paths,
    files,
    merged: mergeConfigs(files),
    ...(explicit ? { explicitPath: paths[0] as string } : {}),
  };
}
