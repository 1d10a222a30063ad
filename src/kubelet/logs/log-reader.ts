// Reads a container's log as `kubectl logs` asks for it: from the end, since a time, with time stamps, up to a size,
// and on and on while the container writes, across rotations.

import { watch } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "#base/clock.ts";
import { hasCode } from "#host/files.ts";
import { parseLogLine } from "./log-line.ts";
import { rotatedLogs } from "./log-files.ts";

export interface LogOptions {
  readonly follow: boolean;
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
  readonly timestamps: boolean;
  readonly limitBytes: number | undefined;
  readonly stream: "stdout" | "stderr" | undefined;
}

export interface LogSource {
  readonly path: string;
  /** False once the container will write no more. */
  isWriting(): boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const blockBytes = 64 * 1024;
/** Without a sign from the file system, look again after this long. */
const pollMs = 1000;
const newline = 10;

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** How many lines the file has, up to `max`, and where the last `max` of them begin. */
async function tailStart(file: FileHandle, max: number): Promise<{ offset: number; lines: number }> {
  let end = (await file.stat()).size;
  const size = end;
  let lines = 0;
  while (end > 0) {
    const start = Math.max(0, end - blockBytes);
    const block = Buffer.alloc(end - start);
    const { bytesRead } = await file.read(block, 0, block.length, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (block[at] !== newline || start + at === size - 1) continue;
      lines += 1;
      if (lines === max) return { offset: start + at + 1, lines };
    }
    end = start;
  }
  return { offset: 0, lines: size === 0 ? 0 : lines + 1 };
}

/** Where reading begins: rotated files that are needed, and the offset in the first of them. */
async function startPoint(
  path: string,
  tailLines: number | undefined,
): Promise<{ paths: string[]; offset: number }> {
  const paths = [...rotatedLogs(path), path];
  if (tailLines === undefined) return { paths, offset: 0 };
  let wanted = tailLines;
  for (let at = paths.length - 1; at >= 0; at--) {
    const file = await openIfExists(paths[at] as string);
    if (file === undefined) continue;
    try {
      if (wanted === 0) return { paths: paths.slice(at), offset: (await file.stat()).size };
      const { offset, lines } = await tailStart(file, wanted);
      wanted -= lines;
      if (wanted <= 0 || at === 0) return { paths: paths.slice(at), offset };
    } finally {
      await file.close();
    }
  }
  return { paths, offset: 0 };
}

/** Turns raw lines into what the reader sees. */
class Formatter {
  readonly #options: LogOptions;
  /** Streams in the middle of a line: their next piece continues it. */
  readonly #open = new Set<string>();
  #since: number | undefined;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#since = options.sinceMs;
  }

  format(raw: Buffer): Buffer[] {
    const line = parseLogLine(raw);
    if (line === undefined) return [];
    const { timestamps, stream } = this.#options;
    if (this.#since !== undefined) {
      if (Date.parse(line.time) < this.#since) return [];
      // Lines stand in their order of time.
      this.#since = undefined;
    }
    if (stream !== undefined && line.stream !== stream) return [];
    const continues = this.#open.has(line.stream);
    if (line.complete) this.#open.delete(line.stream);
    else this.#open.add(line.stream);
    return [
      ...(timestamps && !continues ? [Buffer.from(`${line.time} `)] : []),
      line.text,
      ...(line.complete ? [Buffer.from("\n")] : []),
    ];
  }
}

/** Reads what there is in `file` from `offset`, as complete lines. */
async function* readLines(file: FileHandle, from: { offset: number }): AsyncGenerator<Buffer[]> {
  let pending = Buffer.alloc(0);
  for (let at = from.offset; ;) {
    const block = Buffer.alloc(blockBytes);
    const { bytesRead } = await file.read(block, 0, blockBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    const data = Buffer.concat([pending, block.subarray(0, bytesRead)]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline, start)) {
      lines.push(data.subarray(start, end));
      start = end + 1;
    }
    pending = data.subarray(start);
    from.offset += start;
    if (lines.length > 0) yield lines;
  }
}

/** Resolves when the folder of `path` changes, after `pollMs`, or when `signal` aborts. */
class ChangeWaiter {
  #changed = false;
  #wake: (() => void) | undefined;
  readonly #close: () => void;

  constructor(path: string, signal: AbortSignal) {
    const notice = (): void => {
      this.#changed = true;
      this.#wake?.();
    };
    signal.addEventListener("abort", notice, { once: true });
    let close: () => void = () => undefined;
    try {
      const watcher = watch(dirname(path), { persistent: false }, notice);
      // Without inotify the poll is enough.
      watcher.on("error", () => watcher.close());
      close = () => watcher.close();
    } catch (error) {
      if (!hasCode(error, "ENOENT", "ENOSPC", "EMFILE")) throw error;
    }
    this.#close = () => {
      signal.removeEventListener("abort", notice);
      close();
    };
  }

  async wait(clock: Clock): Promise<void> {
    if (!this.#changed) {
      const stop = new AbortController();
      this.#wake = () => stop.abort();
      await clock.sleep(pollMs, stop.signal);
      this.#wake = undefined;
    }
    this.#changed = false;
  }

  close(): void {
    this.#close();
  }
}

async function* rawLines(source: LogSource, options: LogOptions): AsyncGenerator<Buffer[]> {
  const { path, clock, signal } = source;
  const { paths, offset } = await startPoint(path, options.tailLines);
  const from = { offset };
  for (const old of paths.slice(0, -1)) {
    const file = await openIfExists(old);
    if (file !== undefined) {
      try {
        yield* readLines(file, from);
      } finally {
        await file.close();
      }
    }
    from.offset = 0;
  }
  const waiter = options.follow ? new ChangeWaiter(path, signal) : undefined;
  let file = await openIfExists(path);
  try {
    while (!signal.aborted) {
      const wasWriting = source.isWriting();
      if (file !== undefined) yield* readLines(file, from);
      if (waiter === undefined) return;
      const replaced = await isReplaced(file, path);
      if (replaced) {
        if (file !== undefined) {
          yield* readLines(file, from);
          await file.close();
        }
        file = await openIfExists(path);
        from.offset = 0;
        continue;
      }
      // What it wrote before it ended has been read: the look at its state came first.
      if (!wasWriting) return;
      await waiter.wait(clock);
    }
  } finally {
    waiter?.close();
    await file?.close();
  }
}

/** Whether the path names another file than the open one. */
async function isReplaced(file: FileHandle | undefined, path: string): Promise<boolean> {
  try {
    const now = await stat(path);
    return file === undefined || (await file.stat()).ino !== now.ino;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** The log as bytes for a reader. */
export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<Buffer> {
  const formatter = new Formatter(options);
  let left = options.limitBytes ?? Infinity;
  for await (const lines of rawLines(source, options)) {
    const chunk = Buffer.concat(lines.flatMap((line) => formatter.format(line)));
    if (chunk.length === 0) continue;
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}
