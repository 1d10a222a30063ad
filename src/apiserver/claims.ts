// Values that at most one object may hold (cluster IPs, node ports): which are taken, kept by a watch of their keys, so
// that choosing one costs the same however many there are. A choice that is out of date loses at the commit.

import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Claim } from "#machinery/define-resource.ts";
import { CompactedError, prefixEnd, type Store, type Watch } from "#store/store.ts";

const root = "/claims/";
const reloadDelayMs = 100;

export const claimKey = ({ pool, value }: Claim): string => `${root}${pool}/${value}`;

export interface Claims {
  taken(key: string): boolean;
  stop(): void;
}

export async function startClaims(store: Store, deps: { log: Logger; clock: Clock }): Promise<Claims> {
  let taken = new Set<string>();
  let watch: Watch | undefined;
  let stopped = false;

  async function load(): Promise<void> {
    const { kvs, revision } = await store.range({ start: root, end: prefixEnd(root), keysOnly: true });
    taken = new Set(kvs.map(({ key }) => key));
    if (!stopped) follow(revision);
  }

  function follow(from: number): void {
    let seen = from;
    watch = store.watch({
      start: root,
      end: prefixEnd(root),
      fromRevision: from + 1,
      onEvents(events, revision) {
        for (const { type, kv } of events) type === "put" ? taken.add(kv.key) : taken.delete(kv.key);
        seen = revision;
      },
      onProgress: (revision) => (seen = revision),
      onClose(error) {
        if (stopped || error === undefined) return;
        deps.clock.after(reloadDelayMs, () => {
          if (stopped) return;
          if (!(error instanceof CompactedError)) return follow(seen);
          load().catch((failed: unknown) => deps.log.error("the claims cannot be loaded", { error: failed }));
        });
      },
    });
  }

  await load();
  return {
    taken: (key) => taken.has(key),
    stop() {
      stopped = true;
      watch?.stop();
    },
  };
}
