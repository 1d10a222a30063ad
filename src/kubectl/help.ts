// The texts of `--help`, `kubectl options` and of the bare `kubectl`.

import type { Command } from "./command.ts";
import { commands, sections } from "./commands/index.ts";
import type { FlagSpec } from "./flags.ts";

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

function columns(rows: readonly { name: string; short: string }[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, short }) => `  ${name.padEnd(width)}   ${short}\n`).join("");
}

export function rootHelp(): string {
  const parts = sections.map((section) => {
    const rows = commands.filter((command) => command.section === section);
    return rows.length === 0 ? "" : `${section}:\n${columns(rows)}\n`;
  });
  return `kubectl controls a Kubernetes cluster.

${parts.join("")}Usage:
  kubectl [flags] [options]

Use "kubectl <command> --help" for more information about a given command.
Use "kubectl options" for a list of global command-line options (applies to all commands).
`;
}

function flagHelp(flag: FlagSpec): string {
  const names = flag.shorthand === undefined ? `--${flag.name}` : `-${flag.shorthand}, --${flag.name}`;
  return `    ${names}=${flag.default}:\n\t${flag.usage}\n`;
}

function optionsHelp(flags: readonly FlagSpec[]): string {
  return flags
    .filter((flag) => flag.hidden !== true && flag.deprecated === undefined)
    .toSorted(byName)
    .map(flagHelp)
    .join("\n");
}

export const globalOptionsHelp = (globals: readonly FlagSpec[]): string =>
  `The following options can be passed to any command:\n\n${optionsHelp(globals)}\n`;

const indented = (text: string): string =>
  text
    .trim()
    .split("\n")
    .map((line) => `  ${line.trimStart()}`)
    .join("\n");

export function commandHelp(command: Command, path: string, inherited: readonly FlagSpec[]): string {
  const parts = [(command.long ?? command.short).trim()];
  if (command.aliases !== undefined) parts.push(`Aliases:\n${[command.name, ...command.aliases].join(", ")}`);
  if (command.examples !== undefined) parts.push(`Examples:\n${indented(command.examples)}`);
  if (command.subcommands !== undefined)
    parts.push(`Available Commands:\n${columns(command.subcommands.toSorted(byName)).trimEnd()}`);
  const flags = [...(command.flags ?? []), ...inherited];
  if (flags.length > 0) parts.push(`Options:\n${optionsHelp(flags).trimEnd()}`);
  const parent = path.slice(0, path.lastIndexOf(" "));
  if (command.run !== undefined || command.subcommands !== undefined)
    parts.push(`Usage:\n  ${parent} ${command.use} [options]`);
  const hints = [
    ...(command.subcommands === undefined
      ? []
      : [`Use "${path} <command> --help" for more information about a given command.`]),
    'Use "kubectl options" for a list of global command-line options (applies to all commands).',
  ];
  return `${[...parts, hints.join("\n")].join("\n\n")}\n`;
}

/** Names that differ from the word by two letters at most, or begin with it. */
export function suggestions(word: string, names: readonly string[]): string[] {
  return names.filter((name) => distance(word, name) <= 2 || name.startsWith(word.toLowerCase()));
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
