// The last lines of a container's log, read from its end.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { hasCode } from "#host/files.ts";
import { parseLogLine } from "./log-line.ts";

/** At most `linesMax` lines and `bytesMax` bytes of text; "" when there is no log. */
export function readLogTail(path: string, linesMax: number, bytesMax: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return "";
    throw error;
  }
  try {
    const size = fstatSync(file).size;
    // Each line carries about 40 bytes of time and stream before its text.
    const want = Math.min(size, bytesMax + linesMax * 48);
    const buffer = Buffer.alloc(want);
    const read = readSync(file, buffer, 0, want, size - want);
    const text = buffer
      .subarray(0, read)
      .toString("latin1")
      .split("\n")
      .map((line) => parseLogLine(Buffer.from(line, "latin1")))
      .filter((line) => line !== undefined)
      .slice(-linesMax)
      .map((line) => line.text.toString() + (line.complete ? "\n" : ""))
      .join("");
    return text.length > bytesMax ? text.slice(-bytesMax) : text;
  } finally {
    closeSync(file);
  }
}
