// The real clients that this server is tried with, where they are there: `npm test` fetches them before its tests
// (scripts/reference-kubectl.sh, scripts/reference-helm.ts); a test without one is skipped and says which.

import { execFileSync } from "node:child_process";
import { join } from "node:path";

const scripts = join(import.meta.dirname, "../scripts");

function printed(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

export const kubectlVersions = ["1.36", "1.32", "1.20"] as const;
export type KubectlVersion = (typeof kubectlVersions)[number];

/** The path of a real kubectl of that minor version; undefined where there is none. */
export const realKubectl = (version: KubectlVersion): string | undefined =>
  printed("sh", [join(scripts, "reference-kubectl.sh"), "--print", version]);

/** The path of a real Helm 4; undefined where there is none. */
export const realHelm = (): string | undefined =>
  printed(process.execPath, [join(scripts, "reference-helm.ts"), "--print"]);
