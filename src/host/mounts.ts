// The mount table of this process's mount namespace, and unmounting what lies below a folder.

import { readFileSync } from "node:fs";
import { run } from "./run.ts";

export interface Mount {
  readonly id: number;
  readonly root: string;
  readonly target: string;
  readonly type: string;
  readonly source: string;
}

/** /proc/self/mountinfo escapes blanks as octal. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

export function parseMountinfo(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const head = before.split(" ");
      const tail = after.split(" ");
      return {
        id: Number(head[0]),
        root: unescape(head[3] ?? ""),
        target: unescape(head[4] ?? ""),
        type: tail[0] ?? "",
        source: unescape(tail[1] ?? ""),
      };
    });
}

export function listMounts(): Mount[] {
  return parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
}

export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Unmounts `target` itself and everything below it, last mounted first. Lazily where it is busy. */
export async function unmountBelow(...folders: readonly string[]): Promise<string[]> {
  const targets = listMounts()
    .filter((mount) => folders.some((folder) => isBelow(mount.target, folder)))
    .reverse()
    .map((mount) => mount.target);
  for (const target of targets) {
    const plain = await run(["umount", "--", target]);
    if (plain.code === 0) continue;
    const lazy = await run(["umount", "--lazy", "--", target]);
    if (lazy.code !== 0 && listMounts().some((mount) => mount.target === target))
      throw new Error(`cannot unmount ${target}: ${lazy.stderr.trim()}`);
  }
  return targets;
}
