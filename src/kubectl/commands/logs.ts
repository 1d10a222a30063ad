// `kubectl logs`: what containers print, of one pod or of several.

import { toError } from "#base/assert.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import { selectorFlag } from "../flag-groups.ts";
import type { ParsedFlags } from "../flags.ts";
import { badTime } from "../go-time.ts";
import { chooseContainer, containerNames } from "../targets/containers.ts";
import { fetchItems, fetchTarget } from "../targets/fetch.ts";
import { nothingNamed, resolveTargets } from "../targets/resolve.ts";
import { podsOf } from "../targets/pods-of.ts";
import { printLog, type Source, type StreamOptions } from "./logs-stream.ts";

const selectedTailLines = 10;
const usage = `expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command`;

interface Wanted {
  /** `web`, `rc/web`; nothing where a selector picks. */
  readonly target: string | undefined;
  readonly container: string;
}

/** What the words and flags ask for. Throws kubectl's sentences where they do not fit together. */
export function readWords(args: readonly string[], flags: ParsedFlags): Wanted {
  const selector = flags.string("selector");
  let container = flags.string("container");
  if (args.length === 0 && selector === "") throw new UsageError(usage);
  if (args.length > 0 && selector !== "")
    throw new UsageError("only a selector (-l) or a POD name is allowed");
  if (args.length > 2) throw new UsageError(usage);
  const [target, positional] = args;
  if (positional !== undefined) {
    if (container !== "") throw new CommandError("only one of -c or an inline [CONTAINER] arg is allowed");
    container = positional;
  }
  if (container !== "" && flags.bool("all-containers"))
    throw new CommandError(`--all-containers=true should not be specified with container name ${container}`);
  return { target, container };
}

/** The query of a log request. Throws where the flags contradict each other. */
export function logQuery(flags: ParsedFlags): Record<string, string> {
  const query: Record<string, string> = {};
  if (flags.bool("follow")) query["follow"] = "true";
  if (flags.bool("previous")) query["previous"] = "true";
  if (flags.bool("timestamps")) query["timestamps"] = "true";
  if (flags.bool("insecure-skip-tls-verify-backend")) query["insecureSkipTLSVerifyBackend"] = "true";
  const sinceMs = flags.durationMs("since");
  const sinceTime = flags.string("since-time");
  if (sinceTime !== "" && sinceMs !== 0)
    throw new CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified");
  const wrongTime = sinceTime === "" ? undefined : badTime(sinceTime);
  if (wrongTime !== undefined) throw new CommandError(wrongTime);
  if (sinceTime !== "") query["sinceTime"] = sinceTime;
  if (sinceMs < 0) throw new CommandError("--since must be greater than 0");
  if (sinceMs > 0) query["sinceSeconds"] = String(Math.round(sinceMs / 1000));
  const limit = flags.int("limit-bytes");
  if (limit < 0) throw new CommandError("--limit-bytes must be greater than 0");
  if (limit > 0) query["limitBytes"] = String(limit);
  const tail = flags.int("tail");
  if (tail < -1) throw new CommandError("--tail must be greater than or equal to -1");
  if (tail >= 0) query["tailLines"] = String(tail);
  else if (flags.string("selector") !== "" && !flags.changed("tail"))
    query["tailLines"] = String(selectedTailLines);
  return query;
}

async function objectOf(context: Context, target: string): Promise<KubeObject> {
  if (target === "") throw new CommandError(nothingNamed);
  const { targets } = await resolveTargets(context, target.includes("/") ? [target] : ["pods", target]);
  const [one] = targets;
  if (one === undefined) throw new UsageError(usage);
  try {
    return await fetchTarget(context, one);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.reason !== "NotFound") throw thrown;
    throw new CommandError(
      `error from server (NotFound): ${thrown.message} in namespace ${JSON.stringify(one.namespace)}`,
    );
  }
}

async function selectedPods(context: Context): Promise<readonly Pod[]> {
  const { targets } = await resolveTargets(context, ["pods"]);
  const items = (await Promise.all(targets.map((target) => fetchItems(context, target)))).flat();
  if (items.length === 0)
    context.printError(`No resources found in ${(await context.namespace()).name} namespace.\n`);
  return items as Pod[];
}

async function podsFor(context: Context, target: string | undefined): Promise<readonly Pod[]> {
  const { flags } = context;
  if (target === undefined) return selectedPods(context);
  const pods = await podsOf(context, await objectOf(context, target), {
    purpose: "get the logs from",
    preferRestarts: true,
    waitMs: flags.durationMs("pod-running-timeout"),
  });
  if (flags.bool("all-pods")) return pods;
  if (pods.length > 1)
    context.printError(`Found ${pods.length} pods, using pod/${pods[0]?.metadata?.name ?? ""}\n`);
  return pods.slice(0, 1);
}

function sourcesOf(context: Context, pod: Pod, container: string): Source[] {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  const names = context.flags.bool("all-containers")
    ? containerNames(pod)
    : [
        chooseContainer(pod, container, (line) => {
          if (!context.flags.bool("all-pods")) context.printError(`${line}\n`);
        }),
      ];
  return names.map((one) => ({ pod: name, namespace, container: one }));
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const { target, container } = readWords(args, flags);
  const query = logQuery(flags);
  const waitMs = flags.durationMs("pod-running-timeout");
  if (waitMs <= 0) throw new CommandError("--pod-running-timeout must be higher than zero");
  const pods = await podsFor(context, target);
  const sources = pods.flatMap((pod) => sourcesOf(context, pod, container));
  const follow = flags.bool("follow");
  const most = flags.int("max-log-requests");
  if (follow && sources.length > most)
    throw new CommandError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${most}, use --max-log-requests to increase the limit`,
    );
  const ignoring = flags.bool("ignore-errors");
  const options: StreamOptions = {
    query,
    prefixed: flags.bool("prefix") || flags.bool("all-pods"),
    together: follow && sources.length > 1,
    patienceMs: follow && !ignoring ? waitMs : 0,
  };
  const print = async (source: Source): Promise<void> => {
    try {
      await printLog(context, source, options);
    } catch (thrown) {
      if (!ignoring) throw thrown;
      context.print(`error: ${toError(thrown).message}\n`);
    }
  };
  if (options.together) await Promise.all(sources.map(print));
  else for (const source of sources) await print(source);
}

export const logs: Command = {
  name: "logs",
  aliases: ["log"],
  use: "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
  short: "Print the logs of a container in a pod",
  long: "Print what a container in a pod, or in the pods of a workload, has written. A pod with one container needs no container name.",
  examples: `# All of a pod with one container
kubectl logs web

# Of the run before the last restart
kubectl logs web -p

# As it comes, from the last twenty lines on
kubectl logs web --tail=20 -f

# Of every container of every pod with a label
kubectl logs -l app=web --all-containers --prefix`,
  flags: [
    { name: "all-containers", type: "bool", default: "false", usage: "Every container of the pod" },
    { name: "all-pods", type: "bool", default: "false", usage: "Every pod of the object; with --prefix" },
    { name: "container", shorthand: "c", type: "string", default: "''", usage: "The container" },
    { name: "follow", shorthand: "f", type: "bool", default: "false", usage: "Go on as more is written" },
    {
      name: "ignore-errors",
      type: "bool",
      default: "false",
      usage: "Go on with the other logs where one cannot be had",
    },
    {
      name: "insecure-skip-tls-verify-backend",
      type: "bool",
      default: "false",
      usage: "Let the server fetch logs from a kubelet whose certificate it cannot check",
    },
    { name: "limit-bytes", type: "int", default: "0", usage: "At most this many bytes; 0 for all" },
    {
      name: "max-log-requests",
      type: "int",
      default: "5",
      usage: "How many logs to follow at a time",
    },
    {
      name: "pod-running-timeout",
      type: "duration",
      default: "20s",
      usage: "How long to wait until there is a pod",
    },
    { name: "prefix", type: "bool", default: "false", usage: "Begin each line with its pod and container" },
    {
      name: "previous",
      shorthand: "p",
      type: "bool",
      default: "false",
      usage: "Of the container's run before this one",
    },
    selectorFlag,
    { name: "since", type: "duration", default: "0s", usage: "Only what is newer than this: 5s, 2m, 3h" },
    {
      name: "since-time",
      type: "string",
      default: "''",
      usage: "Only what is newer than this time (RFC 3339)",
    },
    {
      name: "tail",
      type: "int",
      default: "-1",
      usage: "Only the last lines; -1 for all, and 10 with a selector where nothing is said",
    },
    { name: "timestamps", type: "bool", default: "false", usage: "Begin each line with when it was written" },
  ],
  run,
};
