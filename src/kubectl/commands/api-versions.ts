// `kubectl api-versions`: every group and version that the server serves, in order.

import { apiVersionOf } from "#machinery/meta.ts";
import { UsageError, type Command, type Context } from "../command.ts";

async function run(context: Context, args: readonly string[]): Promise<void> {
  if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(" ")}]`);
  const { groupVersions } = await context.discovery();
  for (const line of groupVersions.map(apiVersionOf).sort()) context.print(`${line}\n`);
}

export const apiVersions: Command = {
  name: "api-versions",
  use: "api-versions",
  short: 'Print the API versions that the server serves, as "group/version"',
  examples: "# What does the server serve?\nkubectl api-versions",
  run,
};
