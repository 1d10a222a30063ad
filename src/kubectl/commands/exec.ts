// `kubectl exec`: runs a command in a container, with this terminal if asked.

import { resourcePath, errorFromAnswer } from "#client/client.ts";
import { serverUrl, tlsOptions } from "#client/http1-transport.ts";
import { Pods } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Status } from "#machinery/status.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { openRemoteCommand, type RemoteSession } from "#streams/remote-command.ts";
import { UpgradeRefused } from "#streams/upgrade.ts";
import { CommandError, ExitCode, UsageError, type Command, type Context } from "../command.ts";
import { annotatedContainer, chooseContainer } from "../targets/containers.ts";
import { fetchTarget } from "../targets/fetch.ts";
import { resolveTargets } from "../targets/resolve.ts";
import { podsOf } from "../targets/pods-of.ts";

const ended = new Set(["Succeeded", "Failed"]);

interface Words {
  /** `web`, `rc/web`; nothing where a file names it. */
  readonly target: string | undefined;
  readonly command: readonly string[];
}

const noTarget = "pod, type/name or --filename must be specified";

/** What the words say: the target stands first, the command behind `--`. */
export function readWords(args: readonly string[], argsLengthAtDash: number, withFile: boolean): Words {
  if (args.length === 0 && !withFile) throw new CommandError(noTarget);
  const before = argsLengthAtDash < 0 ? args.length : argsLengthAtDash;
  if (argsLengthAtDash < 0 && args.length > (withFile ? 0 : 1))
    throw new UsageError(
      "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead",
    );
  const target = before === 0 ? "" : (args[0] ?? "");
  if (target === "" && !withFile) throw new CommandError(noTarget);
  const command = args.slice(before);
  if (command.length === 0) throw new CommandError("you must specify at least one command for the container");
  if (target !== "" && withFile)
    throw new CommandError("resource/name arguments cannot be provided when a path is specified");
  return { target: target === "" ? undefined : target, command };
}

async function findPod(context: Context, target: string | undefined): Promise<Pod> {
  const { flags } = context;
  const waitMs = flags.durationMs("pod-running-timeout");
  const words = target === undefined ? [] : target.includes("/") ? [target] : ["pods", target];
  const { targets, errors } = await resolveTargets(context, words);
  if (errors.length > 0) throw errors[0] as Error;
  const [one] = targets;
  if (one === undefined) throw new CommandError(noTarget);
  const object: KubeObject = await fetchTarget(context, one);
  const [pod] = await podsOf(context, object, { purpose: "attach to", preferRestarts: false, waitMs });
  return pod as Pod;
}

/** The error that a refusal of the stream stands for. */
function refusal({ status, body }: UpgradeRefused): Error {
  const error = errorFromAnswer(status, body);
  return body.trimStart().startsWith("{")
    ? error
    : new CommandError(`unable to upgrade connection: ${body.trim()}`);
}

/** The exit code that the Status at the end tells. Throws where the command did not run. */
export function exitCodeOf(status: Status): number {
  if (status.status === "Success") return 0;
  if (status.reason === "NonZeroExitCode") {
    const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
    const code = Number(cause?.message);
    if (Number.isInteger(code)) return code;
  }
  throw new CommandError(status.message ?? "");
}

async function copyStdin(context: Context, session: RemoteSession): Promise<void> {
  for await (const chunk of context.io.stdin.stream()) await session.write(chunk as Buffer);
  session.end();
}

async function run(context: Context, args: readonly string[]): Promise<number> {
  const { flags, io } = context;
  const quiet = flags.bool("quiet");
  if (flags.durationMs("pod-running-timeout") <= 0)
    throw new UsageError("--pod-running-timeout must be higher than zero");
  const { target, command } = readWords(args, context.argsLengthAtDash, flags.list("filename").length > 0);
  const pod = await findPod(context, target);
  const phase = pod.status?.phase ?? "";
  if (ended.has(phase))
    throw new CommandError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const container = chooseContainer(pod, flags.string("container") || annotatedContainer(pod), (line) => {
    if (!quiet) context.printError(`${line}\n`);
  });
  const stdin = flags.bool("stdin");
  const tty = stdin && flags.bool("tty") && io.stdin.isTerminal;
  if (stdin && flags.bool("tty") && !tty && !quiet)
    context.printError("Unable to use a TTY - input is not a terminal or the right kind of file\n");
  const code = await runIn(context, { pod, container, command, stdin, tty });
  if (code === 0) return 0;
  context.printError(`command terminated with exit code ${code}\n`);
  throw new ExitCode(code);
}

interface Request {
  readonly pod: Pod;
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

async function runIn(context: Context, { pod, container, command, stdin, tty }: Request): Promise<number> {
  const { io } = context;
  const access = await context.access();
  const url = serverUrl(access.server);
  const { namespace, name } = pod.metadata ?? {};
  url.pathname = url.pathname.replace(/\/$/, "") + resourcePath(Pods, namespace, name, "exec");
  for (const word of command) url.searchParams.append("command", word);
  url.searchParams.set("container", container);
  url.searchParams.set("stdout", "true");
  if (stdin) url.searchParams.set("stdin", "true");
  url.searchParams.set(tty ? "tty" : "stderr", "true");
  // Raw before the first byte: what is typed meanwhile must reach the container as it is.
  if (tty) io.stdin.setRaw(true);
  let stopResizing: () => void = () => undefined;
  try {
    const session = await openRemoteCommand({
      url,
      headers: await context.credentials(),
      tls: tlsOptions(access),
      stdin,
      stdout: true,
      stderr: !tty,
      tty,
      onOutput: (stream, chunk) => io[stream].write(chunk),
    });
    if (tty) stopResizing = followSize(context, session);
    if (stdin) void copyStdin(context, session).catch(() => undefined);
    return exitCodeOf(await session.status);
  } catch (thrown) {
    throw thrown instanceof UpgradeRefused ? refusal(thrown) : thrown;
  } finally {
    stopResizing();
    if (tty) io.stdin.setRaw(false);
  }
}

function followSize({ io }: Context, session: RemoteSession): () => void {
  const send = (): void => {
    const size = io.terminalSize();
    if (size !== undefined) session.resize(size);
  };
  send();
  return io.onResize(send);
}

export const exec: Command = {
  name: "exec",
  use: "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
  short: "Run a command in a container",
  long: "Run a command in a container.",
  examples: `# What the first container of a pod prints for date
kubectl exec web -- date

# In a container of that name
kubectl exec web -c cache -- date

# A shell, with this terminal
kubectl exec web -it -- bash

# In the first pod of a replication controller
kubectl exec rc/web -- date`,
  flags: [
    {
      name: "container",
      shorthand: "c",
      type: "string",
      default: "''",
      usage: "The container. Otherwise the one that the pod's annotation names, or its first.",
    },
    {
      name: "filename",
      shorthand: "f",
      type: "list",
      default: "[]",
      usage: "File that names the object to exec into",
    },
    {
      name: "pod-running-timeout",
      type: "duration",
      default: "1m0s",
      usage: "How long to wait until there is a pod",
    },
    {
      name: "quiet",
      shorthand: "q",
      type: "bool",
      default: "false",
      usage: "Print only what the command prints",
    },
    { name: "stdin", shorthand: "i", type: "bool", default: "false", usage: "Pass stdin to the container" },
    { name: "tty", shorthand: "t", type: "bool", default: "false", usage: "Stdin is a terminal" },
  ],
  run,
};
