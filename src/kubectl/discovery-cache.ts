// What a server serves, remembered on disk for a while: a file per server. A word it does not know is looked up anew.

import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "#client/client.ts";
import { errorLine } from "./log-line.ts";
import { describeRequest, isNetworkFailure } from "./network-failure.ts";
import {
  fetchGroupVersions,
  makeDiscovery,
  type Discovery,
  type DiscoveryOptions,
  type GroupVersion,
} from "./discovery.ts";

const keptMs = 6 * 3_600_000;

interface Place {
  /** Folder of the cache; without one nothing is remembered. */
  readonly dir: string | undefined;
  readonly server: string;
  readonly now: number;
  readonly options: DiscoveryOptions;
  log(line: string): void;
}

export async function openDiscovery(client: Client, place: Place): Promise<Discovery> {
  const file = fileOf(place);
  const refresh = async (): Promise<readonly GroupVersion[]> => {
    const found = await ask(client, place);
    if (file !== undefined) remember(file, found);
    return found;
  };
  const remembered = file === undefined || place.options.fresh === true ? undefined : recall(file, place.now);
  return remembered === undefined
    ? makeDiscovery(await refresh(), undefined)
    : makeDiscovery(remembered, refresh);
}

/** Each attempt that finds no server is told in the log, as kubectl's users know it. */
async function ask(client: Client, { options, now, log }: Place): Promise<readonly GroupVersion[]> {
  const { attempts = 1 } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchGroupVersions(client);
    } catch (thrown) {
      if (!isNetworkFailure(thrown) || attempts === 0) throw thrown;
      const why = `couldn't get current server API group list: ${describeRequest(thrown, "/api?timeout=32s")}`;
      log(errorLine(now, "memcache.go:265", `"Unhandled Error" err=${JSON.stringify(why)}`));
      if (attempt >= attempts) throw thrown;
    }
  }
}

const fileOf = ({ dir, server }: Place): string | undefined =>
  dir === undefined || dir === ""
    ? undefined
    : join(dir, "discovery", server.replace(/[^-\w.]/g, "_"), "leme.json");

function recall(file: string, now: number): readonly GroupVersion[] | undefined {
  try {
    const { mtimeMs } = statSync(file);
    if (now - mtimeMs > keptMs) return undefined;
    return JSON.parse(readFileSync(file, "utf8")) as GroupVersion[];
  } catch {
    // Not there, or not whole: the server knows better.
    return undefined;
  }
}

function remember(file: string, found: readonly GroupVersion[]): void {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o750 });
    writeFileSync(temporary, JSON.stringify(found), { mode: 0o640 });
    renameSync(temporary, file);
  } catch {
    // A home that cannot be written to: every command asks the server.
  }
}
