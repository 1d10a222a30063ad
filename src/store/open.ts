// Which engine serves: the one place that knows them all.

import { realClock, type Clock } from "#base/clock.ts";
import { memoryBackend } from "./memory.ts";
import { openRevisionStore } from "./revision-store.ts";
import type { Store } from "./store.ts";

export type StoreOptions =
  | { readonly engine: "memory" }
  | { readonly engine: "embedded"; readonly dir: string }
  | { readonly engine: "etcd"; readonly servers: readonly string[] };

/** Opens the store. The embedded engine refuses a damaged or locked directory with an error that says what to do. */
export async function openStore(options: StoreOptions, clock: Clock = realClock): Promise<Store> {
  switch (options.engine) {
    case "memory":
      return openRevisionStore(memoryBackend(), clock);
    case "embedded": {
      const { embeddedBackend } = await import("./embedded/backend.ts");
      return openRevisionStore(await embeddedBackend(options.dir, clock), clock);
    }
    case "etcd":
      throw new Error(
        "etcd is not served yet: leave --etcd-servers out to use the embedded store in --data-dir",
      );
  }
}
