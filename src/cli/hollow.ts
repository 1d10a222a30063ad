// `leme hollow`: nodes that run nothing, for a cluster whose control plane is elsewhere; and the flags that
// `leme server --hollow-nodes` has in common with it.

import type { Command } from "commander";
import type { LogLevel } from "#base/log.ts";
import type { HollowNodesOptions } from "#kubelet/hollow/hollow-nodes.ts";
import { parseDuration, parseNumber } from "./flag-values.ts";

export interface HollowFlags {
  hollowCpus: string;
  hollowMemory: string;
  hollowZones: string;
  hollowStartDelay: string;
  hollowFailures: string;
  hollowCpuUse: string;
  hollowMemoryUse: string;
  hollowEvents?: boolean;
}

/** The version that hollow kubelets report, in the form of a release. */
const version = "v1.36.0";
const mebibyte = 1024 * 1024;

function parseShare(text: string, flag: string): number {
  const share = Number(text);
  if (text === "" || !(share >= 0 && share <= 1))
    throw new Error(`--${flag} takes a share from 0 to 1, not ${JSON.stringify(text)}`);
  return share;
}

export function hollowOptions(
  count: number,
  flags: HollowFlags,
  named: { prefix?: string; from?: number } = {},
): HollowNodesOptions {
  return {
    count,
    prefix: named.prefix ?? "hollow",
    from: named.from ?? 0,
    size: {
      cpus: parseNumber(flags.hollowCpus, "hollow-cpus"),
      memoryBytes: parseNumber(flags.hollowMemory, "hollow-memory") * mebibyte,
    },
    zones: parseNumber(flags.hollowZones, "hollow-zones"),
    load: {
      startDelayMs: parseDuration(flags.hollowStartDelay, "hollow-start-delay"),
      failureShare: parseShare(flags.hollowFailures, "hollow-failures"),
      cpuMilli: parseNumber(flags.hollowCpuUse, "hollow-cpu-use"),
      memoryBytes: parseNumber(flags.hollowMemoryUse, "hollow-memory-use") * mebibyte,
    },
    allEvents: flags.hollowEvents === true,
    version,
  };
}

export function addHollowFlags(command: Command): Command {
  return command
    .option("--hollow-cpus <number>", "CPUs of each hollow node", "8")
    .option("--hollow-memory <mebibytes>", "memory of each hollow node", "32768")
    .option("--hollow-zones <number>", "zones that hollow nodes are shared out over; 0 for none", "0")
    .option("--hollow-start-delay <duration>", "how long a hollow container takes to start", "0s")
    .option("--hollow-failures <share>", "share of hollow containers that fail right after their start", "0")
    .option("--hollow-cpu-use <milli>", "what a hollow container is measured to use", "10")
    .option("--hollow-memory-use <mebibytes>", "what a hollow container is measured to use", "32")
    .option("--hollow-events", "tell in events also what goes well on hollow nodes");
}

interface Flags extends HollowFlags {
  nodes: string;
  kubeconfig: string;
  server?: string;
  prefix: string;
  from: string;
  logLevel: string;
}

async function run(flags: Flags): Promise<void> {
  const [{ startRemoteHollowNodes }, { createLogger }, { loadAccess }] = await Promise.all([
    import("#compose/hollow.ts"),
    import("#base/log.ts"),
    import("#client/kubeconfig.ts"),
  ]);
  const log = createLogger({ level: flags.logLevel as LogLevel });
  const access = await loadAccess(flags.kubeconfig);
  const count = parseNumber(flags.nodes, "nodes");
  const options = hollowOptions(count, flags, {
    prefix: flags.prefix,
    from: parseNumber(flags.from, "from"),
  });
  const server = flags.server ?? access.server;
  const nodes = startRemoteHollowNodes(options, { ...access, server }, log);
  const signal = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
  try {
    console.log(`Registering ${count} hollow nodes at ${server} …`);
    await Promise.race([signal, nodes.ready]);
    console.log(`${count} hollow nodes are ready; Ctrl-C ends them`);
    await Promise.race([signal, nodes.done]);
  } finally {
    await nodes.stop();
  }
}

export function registerHollowCommand(program: Command): void {
  const command = program
    .command("hollow")
    .description("nodes that run nothing, for tests and scale: real kubelets over a simulated runtime")
    .requiredOption("--nodes <number>", "how many")
    .requiredOption(
      "--kubeconfig <file>",
      "how to reach the API server, as somebody who may do what nodes do",
    )
    .option("--server <url>", "another address of that API server")
    .option("--prefix <text>", "names are PREFIX-NUMBER", "hollow")
    .option("--from <number>", "number of the first", "0");
  addHollowFlags(command)
    .option("--log-level <level>", "debug, info, warn or error", "warn")
    .addHelpText(
      "after",
      `
A hollow node has the label leme.dev/hollow=true. Its pods are Running and Ready, and nothing runs. Pods of Jobs end
after a second; the annotations hollow.leme.dev/run-seconds and hollow.leme.dev/exit-code on a pod say otherwise.
hollow.leme.dev/cpu-milli says what each of its containers uses.

Examples:
  leme hollow --nodes 100 --kubeconfig ./kubeconfig
  leme hollow --nodes 500 --from 500 --kubeconfig ./kubeconfig --hollow-zones 3 --hollow-start-delay 2s
  leme server --data-dir ./data --write-kubeconfig ./kubeconfig --hollow-nodes 1000
`,
    )
    .action(run);
}
