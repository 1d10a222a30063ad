// One line of a container log file as the runtime writes it: `2026-01-02T03:04:05.123456789Z stdout F text`.
// `P` marks a piece of a longer line.

export interface LogLine {
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** False for a piece that the next line of the same stream continues. */
  readonly complete: boolean;
  readonly text: Buffer;
}

const space = 0x20;

/** `line` without its newline. Undefined for what is no log line. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const afterTime = line.indexOf(space);
  const afterStream = line.indexOf(space, afterTime + 1);
  if (afterTime <= 0 || afterStream < 0) return undefined;
  const tagEnd = line.indexOf(space, afterStream + 1);
  const tagStop = tagEnd < 0 ? line.length : tagEnd;
  const stream = line.toString("latin1", afterTime + 1, afterStream);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tags = line.toString("latin1", afterStream + 1, tagStop).split(":");
  return {
    time: line.toString("latin1", 0, afterTime),
    stream,
    complete: tags[0] !== "P",
    text: line.subarray(Math.min(tagStop + 1, line.length)),
  };
}
