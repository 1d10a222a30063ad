// Structured logging in one line of logfmt per record. Where lines go is the caller's choice.

import { realClock, type Clock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every record. */
  with(fields: LogFields): Logger;
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === "string") return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function createLogger(
  options: { level?: LogLevel; clock?: Clock; write?: (line: string) => void } = {},
): Logger {
  const { level = "info", clock = realClock, write = (line) => void process.stderr.write(line) } = options;
  const make = (base: LogFields): Logger => {
    const emit =
      (at: LogLevel) =>
      (message: string, fields?: LogFields): void => {
        if (rank[at] < rank[level]) return;
        let line = `${new Date(clock.now()).toISOString()} ${at.padEnd(5)} ${message}`;
        for (const [key, value] of Object.entries({ ...base, ...fields })) {
          if (value !== undefined) line += ` ${key}=${formatValue(value)}`;
        }
        write(`${line}\n`);
      };
    return {
      debug: emit("debug"),
      info: emit("info"),
      warn: emit("warn"),
      error: emit("error"),
      with: (fields) => make({ ...base, ...fields }),
    };
  };
  return make({});
}

export const silentLogger: Logger = createLogger({ write: () => undefined });
