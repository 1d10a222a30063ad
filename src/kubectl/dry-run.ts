// --dry-run: whether a change is only told, only checked by the server, or made.

import { CommandError } from "./command.ts";
import type { ParsedFlags } from "./flags.ts";

export type DryRun = "none" | "client" | "server";

export function dryRunOf(flags: ParsedFlags): { readonly mode: DryRun; readonly warning?: string } {
  const text = flags.string("dry-run");
  switch (text) {
    case "none":
    case "client":
    case "server":
      return { mode: text };
    case "unchanged":
      return {
        mode: "client",
        warning:
          "W0000 00:00:00.000000       1 helpers.go:743] --dry-run is deprecated and can be replaced with --dry-run=client.",
      };
    default:
      throw new CommandError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
  }
}

/** `pod/web created (dry run)`: the mark behind what happened. */
export const dryRunMark = (mode: DryRun): string =>
  mode === "client" ? " (dry run)" : mode === "server" ? " (server dry run)" : "";
