// The newest acknowledged revision, in a small file beside the log. LevelDB takes a log whose end is missing or
// unreadable for one that was being written when the machine stopped; this file knows better. It is written after a
// sync, not with each (that would cost each write a quarter more), and not synced itself: it never says more than is
// durable, is a moment behind after a kill, and some seconds after a power cut.

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { toError } from "#base/assert.ts";
import type { Clock, Timer } from "#base/clock.ts";

export const acknowledgedFile = "acknowledged";
const revisionDigits = 16;
const everyMs = 50;

export interface Acknowledged {
  readonly path: string;
  /** What the file said when it was opened; 0: nothing. */
  readonly revision: number;
  /** This revision is durable. In the file within a moment; throws when an earlier one could not be written. */
  note(revision: number): void;
  close(): void;
}

const checksum = (digits: string): string => crc32(digits).toString(16).padStart(8, "0");

/** `0000000000001234 89abcdef`: a revision and the checksum of its digits. */
export function encodeAcknowledged(revision: number): string {
  const digits = String(revision).padStart(revisionDigits, "0");
  return `${digits} ${checksum(digits)}\n`;
}

/** 0 for anything that was not written by encodeAcknowledged, such as a file that a power cut left empty. */
export function decodeAcknowledged(text: string): number {
  const [, digits = "", sum] = /^(\d{16}) ([0-9a-f]{8})\n/.exec(text) ?? [];
  return sum !== undefined && sum === checksum(digits) ? Number(digits) : 0;
}

function read(fd: number): number {
  const buffer = Buffer.alloc(encodeAcknowledged(0).length);
  const bytes = readSync(fd, buffer, 0, buffer.length, 0);
  return decodeAcknowledged(buffer.toString("latin1", 0, bytes));
}

export function openAcknowledged(dir: string, clock: Clock): Acknowledged {
  const path = join(dir, acknowledgedFile);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const revision = read(fd);
  let newest = revision;
  let written = revision;
  let writtenMs = -Infinity;
  let timer: Timer | undefined;
  let failure: Error | undefined;
  let closed = false;

  function write(): void {
    timer = undefined;
    if (closed || written === newest) return;
    writeSync(fd, encodeAcknowledged(newest), 0, "latin1");
    written = newest;
    writtenMs = clock.monotonic();
  }

  return {
    path,
    revision,
    note(durable) {
      if (failure !== undefined) throw failure;
      newest = durable;
      if (closed || timer !== undefined) return;
      const waitMs = writtenMs + everyMs - clock.monotonic();
      if (waitMs <= 0) write();
      else
        timer = clock.after(waitMs, () => {
          try {
            write();
          } catch (thrown) {
            failure = toError(thrown);
          }
        });
    },
    close() {
      timer?.cancel();
      if (!closed && failure === undefined) write();
      if (!closed) closeSync(fd);
      closed = true;
    },
  };
}
