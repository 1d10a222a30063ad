// The server's `Warning` headers, told once each on stderr as they come.

import type { Transport } from "#machinery/api-request.ts";
import { CommandError, type Io } from "./command.ts";

/** The texts of a header such as `299 - "text"`, of which there may be several. */
export function warningTexts(header: string): string[] {
  return [...header.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
}

export class WarningPrinter {
  count = 0;
  private readonly io: Io;
  private readonly seen = new Set<string>();

  constructor(io: Io) {
    this.io = io;
  }

  listen(transport: Transport): Transport {
    return {
      request: async (request) => {
        const response = await transport.request(request);
        const header = response.headers["warning"];
        if (header !== undefined) for (const text of warningTexts(header)) this.print(text);
        return response;
      },
      close: () => transport.close(),
    };
  }

  print(text: string): void {
    this.count++;
    if (this.seen.has(text)) return;
    this.seen.add(text);
    const { stderr, env } = this.io;
    const colours = stderr.isTerminal && env["TERM"] !== "dumb" && !env["NO_COLOR"];
    stderr.write(colours ? `\u001b[33;1mWarning:\u001b[0m ${text}\n` : `Warning: ${text}\n`);
  }

  /** With --warnings-as-errors: what to say at the end. */
  failure(): CommandError | undefined {
    if (this.count === 0) return undefined;
    return new CommandError(`${this.count} warning${this.count === 1 ? "" : "s"} received`);
  }
}
