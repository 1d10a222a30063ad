// Reads what strace saw of a process that writes LevelDB logs and acknowledges, and says whether each acknowledgement
// came after an fdatasync that succeeded, and that began after all of its transaction was written. Pure.
//
//   strace -f -y -s 70000 -e trace=write,fdatasync,fsync …   gives lines such as
//   812 write(21</dir/000005.log>, "… token …", 300) = 300
//   812 fdatasync(21</dir/000005.log> <unfinished ...>
//   812 <... fdatasync resumed>) = 0
//   810 write(1<pipe:[77]>, "{\"kind\":\"ack\",…\"tokens\":[…]}\n", 60) = 60
//
// A transaction's bytes are found by the tokens in its values: the log is put together from its writes and read as
// LevelDB does, and the whole batch that holds the token must have been written.

import { readLogRecords } from "./level-log.ts";

interface Call {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Bytes written, or 0 for a sync; negative: it failed. */
  readonly result: number;
  /** Line numbers: when it began, and when it had ended. */
  readonly began: number;
  readonly ended: number;
}

const started = /^(\d+) +(?:[\d:.]+ +)?(write|fdatasync|fsync)\((\d+)<([^>]*)>(.*)$/;
const resumed = /^(\d+) +(?:[\d:.]+ +)?<\.\.\. (write|fdatasync|fsync) resumed>.*= (-?\d+)/;
const token = / ([a-z0-9]+(?:-\d+){3}) /g;

export function readTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, Omit<Call, "result" | "ended">>();
  for (const [number, row] of trace.split("\n").entries()) {
    const begin = started.exec(row);
    if (begin !== null) {
      const [, pid = "", name = "", , path = "", rest = ""] = begin;
      const call = { name, path, text: rest, began: number };
      const done = /\) += (-?\d+)/.exec(rest.slice(rest.lastIndexOf(") ")));
      if (done === null) open.set(pid, call);
      else calls.push({ ...call, result: Number(done[1]), ended: number });
      continue;
    }
    const end = resumed.exec(row);
    const call = end === null ? undefined : open.get(end[1] as string);
    if (call === undefined) continue;
    open.delete(end?.[1] as string);
    calls.push({ ...call, result: Number(end?.[3]), ended: number });
  }
  // What the process was doing when it was killed began, and never ended.
  for (const call of open.values()) calls.push({ ...call, result: 0, ended: Infinity });
  return calls.sort((a, b) => a.began - b.began);
}

const isLog = ({ path }: Call): boolean => path.endsWith(".log");
const isSync = ({ name }: Call): boolean => name !== "write";

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  v: "\v",
  f: "\f",
  '"': '"',
  "\\": "\\",
};

/** The bytes that strace shows as a string, as far as they were written. */
function bytesOf({ text, result }: Call): Buffer {
  const [, shown = ""] = /^, "((?:[^"\\]|\\.)*)"/s.exec(text) ?? [];
  const bytes = Buffer.from(
    shown.replace(/\\([0-7]{1,3}|.)/gs, (_, code: string) =>
      /^[0-7]/.test(code) ? String.fromCharCode(parseInt(code, 8)) : (escapes[code] ?? code),
    ),
    "latin1",
  );
  if (bytes.length < result) throw new Error(`strace shows ${bytes.length} of ${result} written bytes`);
  return bytes.subarray(0, result);
}

/** Where a token's batch is: in which log, in which bytes, and when the last of them had been written. */
export interface Written {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

/** Every token that is in a whole batch of a log. */
export function writtenTokens(calls: readonly Call[]): Map<string, Written> {
  const found = new Map<string, Written>();
  const logWrites = calls.filter((call) => isLog(call) && !isSync(call) && call.result > 0);
  for (const path of new Set(logWrites.map((call) => call.path))) {
    const writes = logWrites.filter((call) => call.path === path);
    const ends: { end: number; at: number }[] = [];
    let size = 0;
    for (const call of writes) ends.push({ end: (size += call.result), at: call.ended });
    let next = 0;
    let at = 0;
    for (const { data, start, end } of readLogRecords(Buffer.concat(writes.map(bytesOf)))) {
      for (; next < ends.length && (ends[next - 1]?.end ?? 0) < end; next++)
        at = Math.max(at, (ends[next] as { at: number }).at);
      for (const [, one = ""] of data.toString("latin1").matchAll(token))
        found.set(one, { path, start, end, at });
    }
  }
  return found;
}

export interface Verdict {
  readonly acknowledgements: number;
  readonly problems: readonly string[];
}

/** Looks at every acknowledgement in the trace. */
export function checkAcknowledgements(calls: readonly Call[]): Verdict {
  const written = writtenTokens(calls);
  const syncs = calls.filter((call) => isLog(call) && isSync(call) && call.result === 0);
  const problems: string[] = [];
  let acknowledgements = 0;
  for (const call of calls) {
    if (isLog(call) || isSync(call)) continue;
    for (const [, tokens = ""] of call.text.matchAll(/\\"kind\\":\\"ack\\".*?\\"tokens\\":\[([^\]]*)\]/g)) {
      acknowledgements++;
      for (const [, one = ""] of tokens.matchAll(/\\"([^"\\]+)\\"/g)) {
        const bytes = written.get(one);
        if (bytes === undefined) problems.push(`${one} was acknowledged and never written to the log`);
        else if (
          !syncs.some(
            ({ path, began, ended }) => path === bytes.path && began > bytes.at && ended < call.began,
          )
        )
          problems.push(`${one} was acknowledged before a sync that began after its write`);
      }
    }
  }
  return { acknowledgements, problems };
}

/** How many bytes of each log were synced for sure when the process ended. */
export function syncedBytes(calls: readonly Call[]): Map<string, number> {
  const synced = new Map<string, number>();
  for (const sync of calls) {
    if (!isLog(sync) || !isSync(sync) || sync.ended === Infinity || sync.result !== 0) continue;
    let bytes = 0;
    for (const write of calls)
      if (write.path === sync.path && !isSync(write) && write.ended < sync.began)
        bytes += Math.max(0, write.result);
    synced.set(sync.path, Math.max(synced.get(sync.path) ?? 0, bytes));
  }
  return synced;
}
