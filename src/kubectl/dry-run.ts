// --dry-run: whether a change is only told, only checked by the server, or made.

import { CommandError, type Context } from "./command.ts";
import { warningLine } from "./log-line.ts";

export type DryRun = "none" | "client" | "server";

export function dryRunOf({ flags, io }: Context): DryRun {
  const text = flags.string("dry-run");
  switch (text) {
    case "none":
    case "client":
    case "server":
      return text;
    case "unchanged":
      io.stderr.write(
        warningLine(
          io.now(),
          "helpers.go:719",
          "--dry-run is deprecated and can be replaced with --dry-run=client.",
        ),
      );
      return "client";
    default:
      throw new CommandError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
  }
}

/** `pod/web created (dry run)`: the mark behind what happened. */
export const dryRunMark = (mode: DryRun): string =>
  mode === "client" ? " (dry run)" : mode === "server" ? " (server dry run)" : "";
