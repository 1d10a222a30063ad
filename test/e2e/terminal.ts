// A person at a terminal: runs a command with a terminal of its own, waits for what it shows, types.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { realClock } from "#base/clock.ts";

export interface Session {
  /** All that was shown so far. */
  shown(): string;
  waitFor(pattern: RegExp): Promise<void>;
  type(text: string): void;
  /** The exit status, once it has ended. */
  ended(): Promise<number>;
}

const waitMsMax = 60_000;

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** `script`, which every Debian has, makes the terminal and passes the exit status on. */
export function atTerminal(command: readonly string[]): Session {
  const child = spawn("script", ["-qefc", command.map(quoted).join(" "), "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  let status: number | undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stdin.on("error", () => {
    // The command may end before it has read what is typed; its exit status tells.
  });
  const over = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      status = code ?? -1;
      resolve(status);
    });
  });
  return {
    shown: () => output,
    type: (text) => void child.stdin.write(text),
    async waitFor(pattern) {
      const deadline = realClock.monotonic() + waitMsMax;
      while (!pattern.test(output)) {
        if (status !== undefined || realClock.monotonic() > deadline) {
          child.kill();
          assert.fail(`${command.join(" ")} did not show ${String(pattern)}, but:\n${output}`);
        }
        await realClock.sleep(20);
      }
    },
    async ended() {
      const timer = setTimeout(() => child.kill(), waitMsMax);
      try {
        return await over;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
