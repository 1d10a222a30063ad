// A lock between processes of one machine that no crash leaves behind: an abstract socket, which ends with its owner.

import { createHash } from "node:crypto";
import { createServer } from "node:net";
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
