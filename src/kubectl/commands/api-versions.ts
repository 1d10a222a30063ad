// `kubectl api-versions`: every group and version that the server serves, in order.

import { apiVersionOf } from "#machinery/meta.ts";
import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import type { Discovery } from "../discovery.ts";
import { describeRequest, isNetworkFailure } from "../network-failure.ts";

async function run(context: Context, args: readonly string[]): Promise<void> {
  if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(" ")}]`);
  const { groupVersions } = await discover(context);
  for (const line of groupVersions.map(apiVersionOf).sort()) context.print(`${line}\n`);
}

async function discover(context: Context): Promise<Discovery> {
  try {
    return await context.discovery({ fresh: true });
  } catch (thrown) {
    if (!isNetworkFailure(thrown)) throw thrown;
    const what = describeRequest(thrown, "/api?timeout=32s");
    throw new CommandError(`couldn't get available api versions from server: ${what}`);
  }
}

export const apiVersions: Command = {
  name: "api-versions",
  use: "api-versions",
  short: 'Print the API versions that the server serves, as "group/version"',
  examples: "# What does the server serve?\nkubectl api-versions",
  run,
};
