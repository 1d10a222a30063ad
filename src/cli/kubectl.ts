// The process around our kubectl: its terminal, environment and signals. Also the entry that is bundled.

import { writeSync } from "node:fs";
import { homedir } from "node:os";
import { isatty } from "node:tty";
import type { Io, Output } from "#kubectl/command.ts";
import { runKubectl } from "#kubectl/main.ts";

const pauseMs = 5;

/** Writes all of it before it returns; a reader that went away ends the process as it ends any filter. */
function writeAll(fd: number, data: Uint8Array): void {
  for (let done = 0; done < data.length;) {
    try {
      done += writeSync(fd, data, done);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(141);
      if (code !== "EAGAIN") throw thrown;
      // The reader is slow and the pipe does not block: wait a moment.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

const output = (fd: number): Output => ({
  write: (data) => writeAll(fd, typeof data === "string" ? Buffer.from(data) : data),
  get isTerminal() {
    return isatty(fd);
  },
});

function processIo(): Io {
  return {
    stdin: {
      get isTerminal() {
        return isatty(0);
      },
      stream: () => process.stdin,
      setRaw: (raw) => {
        if (isatty(0)) process.stdin.setRawMode(raw);
      },
    },
    stdout: output(1),
    stderr: output(2),
    env: process.env,
    cwd: process.cwd(),
    home: process.env["HOME"] || homedir(),
    terminalSize: () =>
      process.stdout.isTTY ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined,
    onResize: (listener) => {
      process.on("SIGWINCH", listener);
      return () => process.off("SIGWINCH", listener);
    },
    onSignal: (signal, listener) => {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
    now: () => Date.now(),
  };
}

/** Runs `kubectl ARGV` in this process and ends it. */
export async function kubectlProcess(argv: readonly string[]): Promise<never> {
  const code = await runKubectl(argv, processIo());
  process.exit(code);
}
