// A lock between processes of one machine that no crash leaves behind: an abstract socket, which ends with its owner.

import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { Clock } from "#base/clock.ts";
import { hasCode } from "./files.ts";

export interface Lock {
  release(): Promise<void>;
}

/** Undefined when another process holds the lock of this name. */
export function tryLock(name: string): Promise<Lock | undefined> {
  const address = `\0leme-lock-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error) => (hasCode(error, "EADDRINUSE") ? resolve(undefined) : reject(error)));
    server.listen(address, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

const pollMs = 25;

/** Waits for the lock; undefined when it is still held after `waitMs`. */
export async function waitForLock(
  name: string,
  waitMs: number,
  clock: Pick<Clock, "monotonic" | "sleep">,
): Promise<Lock | undefined> {
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    const lock = await tryLock(name);
    if (lock !== undefined || clock.monotonic() > deadline) return lock;
    await clock.sleep(pollMs);
  }
}
