// Writes changes into the kubeconfig files, under the lock file that every kubectl honours.

import { closeSync, openSync, realpathSync, rmSync, statSync } from "node:fs";
import { hasCode, readIfExists, writeAtomically } from "#host/files.ts";
import { parseKubeConfig } from "#client/kubeconfig.ts";
import { printYaml } from "#machinery/codec/yaml-print.ts";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../command.ts";
import type { LoadedConfig } from "../config-files.ts";
import { applyChange, filesOf, type Change } from "./change.ts";
import { canonical } from "./shape.ts";

const newFileMode = 0o600;

/** Applies the changes, each file read anew and written as a whole. Throws when another process is writing it. */
export async function writeChanges(changes: readonly Change[], loaded: LoadedConfig): Promise<void> {
  const byFile = new Map<string, Change[]>();
  for (const change of changes)
    for (const path of filesOf(change, loaded)) byFile.set(path, [...(byFile.get(path) ?? []), change]);
  for (const [path, mine] of byFile) await withLock(path, () => rewrite(path, mine));
}

async function rewrite(path: string, changes: readonly Change[]): Promise<void> {
  const text = readIfExists(path);
  const config = changes.reduce(applyChange, await parseKubeConfig(text ?? ""));
  // A link stays a link: what it points to is written.
  const target = text === undefined ? path : realpathSync(path);
  const mode = text === undefined ? newFileMode : statSync(target).mode & 0o777;
  writeAtomically(target, printYaml(canonical(config)), mode);
}

async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  try {
    closeSync(openSync(lock, "wx", 0));
  } catch (thrown) {
    if (hasCode(thrown, "EEXIST")) throw new CommandError(`open ${lock}: file exists`);
    throw thrown;
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}
