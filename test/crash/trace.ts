// Reads what strace saw of a process that writes a log and acknowledges, and says whether each acknowledgement came
// after an fdatasync that began after its bytes were written. Pure.
//
//   strace -f -y -s 70000 -e trace=write,fdatasync,fsync …   gives lines such as
//   812 write(21</dir/000005.log>, "…token…", 300) = 300
//   812 fdatasync(21</dir/000005.log> <unfinished ...>
//   812 <... fdatasync resumed>) = 0
//   810 write(1<pipe:[77]>, "{\"kind\":\"ack\",…token…}\n", 60) = 60

interface Call {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Bytes written; 0 for a sync. */
  readonly result: number;
  /** Line numbers: when it began, and when it had ended. */
  readonly began: number;
  readonly ended: number;
}

const started = /^(\d+) +(?:[\d:.]+ +)?(write|fdatasync|fsync)\((\d+)<([^>]*)>(.*)$/;
const resumed = /^(\d+) +(?:[\d:.]+ +)?<\.\.\. (write|fdatasync|fsync) resumed>.*= (-?\d+)/;

export function readTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, Omit<Call, "result" | "ended">>();
  for (const [number, row] of trace.split("\n").entries()) {
    const begin = started.exec(row);
    if (begin !== null) {
      const [, pid = "", name = "", , path = "", rest = ""] = begin;
      const call = { name, path, text: rest, began: number };
      const done = /\) += (-?\d+)/.exec(rest.slice(rest.lastIndexOf(") ")));
      if (rest.includes("<unfinished ...>")) open.set(pid, call);
      else calls.push({ ...call, result: Number(done?.[1] ?? 0), ended: number });
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
  return calls;
}

const isLog = ({ path }: Call): boolean => path.endsWith(".log");
const isSync = ({ name }: Call): boolean => name !== "write";

export interface Verdict {
  readonly acknowledgements: number;
  readonly problems: readonly string[];
}

/** Looks at every acknowledgement in the trace. */
export function checkAcknowledgements(calls: readonly Call[]): Verdict {
  const logWrites = calls.filter((call) => isLog(call) && !isSync(call));
  const syncs = calls.filter((call) => isLog(call) && isSync(call) && call.result === 0);
  const problems: string[] = [];
  let acknowledgements = 0;
  for (const ack of calls) {
    if (isLog(ack) || isSync(ack)) continue;
    for (const [, token = ""] of ack.text.matchAll(/\\"kind\\":\\"ack\\".*?\\"token\\":\\"([^"\\]+)\\"/g)) {
      acknowledgements++;
      const write = logWrites.findLast(({ text }) => text.includes(`${token} `));
      if (write === undefined) {
        problems.push(`${token} was acknowledged and never written to the log`);
        continue;
      }
      const sync = syncs.find(
        ({ path, began, ended }) => path === write.path && began > write.ended && ended < ack.began,
      );
      if (sync === undefined)
        problems.push(`${token} was acknowledged before a sync that began after its write`);
    }
  }
  return { acknowledgements, problems };
}

/** How many bytes of each log were synced for sure when the process ended. */
export function syncedBytes(calls: readonly Call[]): Map<string, number> {
  const synced = new Map<string, number>();
  for (const sync of calls) {
    if (!isLog(sync) || !isSync(sync) || sync.ended === Infinity) continue;
    let bytes = 0;
    for (const write of calls)
      if (write.path === sync.path && !isSync(write) && write.ended < sync.began) bytes += write.result;
    synced.set(sync.path, Math.max(synced.get(sync.path) ?? 0, bytes));
  }
  return synced;
}
