// What a command is, and what it is given. Commands are data plus one function; the frame parses their flags, prints
// their help and turns what they throw into kubectl's error lines.

import type { Readable } from "node:stream";
import type { Client } from "#client/client.ts";
import type { ServerAccess } from "#client/kubeconfig.ts";
import type { LoadedConfig } from "./config-files.ts";
import type { Discovery, DiscoveryOptions } from "./discovery.ts";
import type { FlagSpec, ParsedFlags } from "./flags.ts";

export interface Output {
  /** Written before it returns: nothing is lost when the process ends. */
  write(data: string | Uint8Array): void;
  readonly isTerminal: boolean;
}

/** The process around a command. Made by `src/cli`, or by a test. */
export interface Io {
  readonly stdin: { readonly isTerminal: boolean; stream(): Readable; setRaw(raw: boolean): void };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** Size of the terminal behind stdout, if there is one, and a call at each change of it. */
  terminalSize(): { readonly columns: number; readonly rows: number } | undefined;
  onResize(listener: () => void): () => void;
  /** Calls at SIGINT, SIGTERM …; returns the way to stop listening. Without a listener the signal ends the process. */
  onSignal(signal: NodeJS.Signals, listener: () => void): () => void;
  now(): number;
}

export interface Namespace {
  readonly name: string;
  /** True where `--namespace` said so, rather than the context or the default. */
  readonly explicit: boolean;
}

export interface Context {
  readonly io: Io;
  readonly flags: ParsedFlags;
  /** How many arguments stood before `--`; -1 without one. */
  readonly argsLengthAtDash: number;
  readonly command: Command;
  /** `kubectl config view`: what help and hints call this command. */
  readonly commandPath: string;
  /** The kubeconfig files, merged. */
  config(): Promise<LoadedConfig>;
  access(): Promise<ServerAccess>;
  /** Headers that say who asks: token, basic authentication, impersonation. */
  credentials(): Promise<Readonly<Record<string, string | readonly string[]>>>;
  client(): Promise<Client>;
  /** What the server serves. How it is asked, the first call of a command says. */
  discovery(options?: DiscoveryOptions): Promise<Discovery>;
  namespace(): Promise<Namespace>;
  print(text: string): void;
  printError(text: string): void;
}

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** What follows `kubectl` in the usage line: `get (TYPE | TYPE/NAME ...) [flags]`. */
  readonly use: string;
  readonly short: string;
  readonly long?: string;
  readonly examples?: string;
  readonly flags?: readonly FlagSpec[];
  /** Flags that this command has in common with its subcommands. */
  readonly persistentFlags?: readonly FlagSpec[];
  readonly requiredFlags?: readonly string[];
  readonly subcommands?: readonly Command[];
  /** Subcommands that kubectl has and that are not built yet: they are known, and say so. */
  readonly notBuilt?: readonly string[];
  /** Resolves to the exit code; nothing means 0. Throws ApiError, CommandError, UsageError, or the network's errors. */
  run?(context: Context, args: readonly string[]): Promise<number | void>;
}

/** A failure that is told as `error: MESSAGE`, or as it stands where it says more than that. */
export class CommandError extends Error {
  readonly exitCode: number;
  /** What was to be printed before it failed. */
  readonly printed: string;
  constructor(message: string, exitCode = 1, printed = "") {
    super(message);
    this.exitCode = exitCode;
    this.printed = printed;
  }
}

/** Wrong usage: the message, then `See 'kubectl get -h' for help and examples`. */
export class UsageError extends Error {}

/** The process ends with this code and no further word: of a command run in a container, or told already. */
export class ExitCode extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit status ${code}`);
    this.code = code;
  }
}
