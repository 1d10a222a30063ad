// `kubectl …`: finds the command, reads its flags, runs it, and tells what went wrong.

import type { Transport } from "#machinery/api-request.ts";
import { CommandError, UsageError, type Command, type Io } from "./command.ts";
import { allNames, commands } from "./commands/index.ts";
import { describe } from "./failure.ts";
import { findCommandName, FlagError, HelpWanted, parseFlags, type FlagSpec } from "./flags.ts";
import { globalFlags } from "./global-flags.ts";
import { createSession } from "./session.ts";

export interface KubectlOptions {
  /** Instead of the network: tests pass a control plane's own. */
  readonly transport?: Transport;
}

interface Found {
  readonly command: Command;
  readonly path: string;
  readonly argv: readonly string[];
  readonly inherited: readonly FlagSpec[];
}

/** Runs one command line; resolves to the exit code of the process. */
export async function runKubectl(
  argv: readonly string[],
  io: Io,
  options: KubectlOptions = {},
): Promise<number> {
  const globals = globalFlags(io.home);
  try {
    const at = findCommandName(globals, argv);
    const name = argv[at];
    if (name === undefined || name === "help" || name === "options")
      return await helpOrOptions(argv, at, io, globals);
    const entry = commands.find((command) => command.name === name);
    if (entry?.load === undefined) throw await unknownCommand(name);
    const command = await entry.load();
    const found = descend({
      command,
      path: `kubectl ${name}`,
      argv: argv.toSpliced(at, 1),
      inherited: [...globals, ...(command.persistentFlags ?? [])],
    });
    return await runCommand(found, globals, io, options);
  } catch (thrown) {
    return tell(thrown, "kubectl", io);
  }
}

/** Down to the subcommand that the arguments name. */
function descend(found: Found): Found {
  const { command, argv, inherited } = found;
  if (command.subcommands === undefined && command.notBuilt === undefined) return found;
  const at = findCommandName([...inherited, ...(command.flags ?? [])], argv);
  const name = argv[at];
  if (name !== undefined && command.notBuilt?.includes(name) === true)
    throw new CommandError(`${found.path} ${name} is not built yet`);
  const child = command.subcommands?.find(
    (one) => name !== undefined && (one.name === name || one.aliases?.includes(name)),
  );
  if (child === undefined) return found;
  return descend({
    command: child,
    path: `${found.path} ${child.name}`,
    argv: argv.toSpliced(at, 1),
    inherited: [...inherited, ...(child.persistentFlags ?? [])],
  });
}

async function runCommand(
  found: Found,
  globals: readonly FlagSpec[],
  io: Io,
  options: KubectlOptions,
): Promise<number> {
  const { command, path, argv, inherited } = found;
  const showHelp = async (output = io.stdout, code = 0): Promise<number> => {
    const { commandHelp } = await import("./help.ts");
    output.write(commandHelp(command, path, inherited.slice(globals.length)));
    return code;
  };
  let parsed;
  try {
    // A command's own flag stands before an inherited one of its name: the user of a binding is not who asks.
    const own = command.flags ?? [];
    const names = new Set(own.map(({ name }) => name));
    parsed = parseFlags([...own, ...inherited.filter(({ name }) => !names.has(name))], argv);
  } catch (thrown) {
    if (thrown instanceof HelpWanted) return showHelp();
    return tell(thrown, path, io);
  }
  if (command.run === undefined) {
    if (parsed.args.length === 0) return showHelp(io.stderr, 1);
    return tell(new UsageError(`unknown command ${JSON.stringify(parsed.args.join(" "))}`), path, io);
  }
  const missing = (command.requiredFlags ?? []).filter((name) => !parsed.flags.changed(name));
  if (missing.length > 0) {
    const names = missing.map((name) => JSON.stringify(name)).join(", ");
    return tell(new CommandError(`required flag(s) ${names} not set`), path, io);
  }
  const { transport } = options;
  const session = createSession({
    io,
    parsed,
    globals: parsed.flags.only(globals),
    command,
    commandPath: path,
    ...(transport === undefined ? {} : { transport }),
  });
  try {
    const code = (await command.run(session, parsed.args)) ?? 0;
    const warned = parsed.flags.bool("warnings-as-errors") ? session.warnings.failure() : undefined;
    return warned === undefined ? code : tell(warned, path, io);
  } catch (thrown) {
    return tell(thrown, path, io);
  } finally {
    if (transport === undefined) await session.close();
  }
}

function tell(thrown: unknown, path: string, io: Io): number {
  const { text, exitCode } = describe(thrown, path);
  if (thrown instanceof CommandError) io.stdout.write(thrown.printed);
  if (text !== "") io.stderr.write(`${text}\n`);
  if (thrown instanceof FlagError) io.stderr.write(`See '${path} --help' for usage.\n`);
  return exitCode;
}

async function unknownCommand(name: string): Promise<Error> {
  if (allNames.includes(name)) return new CommandError(`kubectl ${name} is not built yet`);
  const { suggestions } = await import("./help.ts");
  const similar = suggestions(name, allNames);
  const hint =
    similar.length === 0 ? "" : `\n\nDid you mean this?\n${similar.map((one) => `\t${one}`).join("\n")}`;
  return new CommandError(`unknown command ${JSON.stringify(name)} for "kubectl"${hint}`);
}

async function helpOrOptions(
  argv: readonly string[],
  at: number,
  io: Io,
  globals: readonly FlagSpec[],
): Promise<number> {
  const { globalOptionsHelp, rootHelp, commandHelp } = await import("./help.ts");
  if (at < 0) {
    try {
      parseFlags(globals, argv);
    } catch (thrown) {
      if (!(thrown instanceof HelpWanted)) throw thrown;
    }
    io.stdout.write(rootHelp());
    return 0;
  }
  if (argv[at] === "options") {
    io.stdout.write(globalOptionsHelp(globals));
    return 0;
  }
  const words = argv.slice(at + 1).filter((word) => !word.startsWith("-"));
  const entry = commands.find(({ name }) => name === words[0]);
  if (entry?.load === undefined) {
    const unknown = words[0] !== undefined;
    if (unknown) io.stderr.write(`Unknown help topic [\`${words.join(" ")}\`]\n\n`);
    (unknown ? io.stderr : io.stdout).write(rootHelp());
    return 0;
  }
  const command = await entry.load();
  const {
    command: asked,
    path,
    inherited,
  } = descend({
    command,
    path: `kubectl ${entry.name}`,
    argv: words.slice(1),
    inherited: command.persistentFlags ?? [],
  });
  io.stdout.write(commandHelp(asked, path, inherited));
  return 0;
}
