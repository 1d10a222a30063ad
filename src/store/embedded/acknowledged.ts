// The newest acknowledged revision, in a small file beside the log. LevelDB takes a log whose end is missing or
// unreadable for one that was being written when the machine stopped; this file knows better. It is written after
// each sync and before the answer, and not synced itself: it never says more than is durable, and a killed process
// loses nothing of it. (After a power cut it may be some seconds behind.)

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

const fileName = "acknowledged";
const revisionDigits = 16;

export interface Acknowledged {
  readonly path: string;
  /** What the file said when it was opened; 0: nothing. */
  readonly revision: number;
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

export function openAcknowledged(dir: string): Acknowledged {
  const path = join(dir, fileName);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const buffer = Buffer.alloc(encodeAcknowledged(0).length);
  const bytes = readSync(fd, buffer, 0, buffer.length, 0);
  let closed = false;
  return {
    path,
    revision: decodeAcknowledged(buffer.toString("latin1", 0, bytes)),
    note(revision) {
      if (!closed) writeSync(fd, encodeAcknowledged(revision), 0, "latin1");
    },
    close() {
      if (!closed) closeSync(fd);
      closed = true;
    },
  };
}
