// `kubectl version`: what client and server say they are.

import { CommandError, type Command, type Context } from "../command.ts";
import { clientVersion, kustomizeVersion } from "../version.ts";

interface Versions {
  clientVersion?: typeof clientVersion;
  kustomizeVersion?: string;
  serverVersion?: Record<string, string>;
}

/** Components may be one minor version apart. */
function skew(server: Record<string, string>): string | undefined {
  const minor = Number.parseInt(server["minor"] ?? "", 10);
  const apart = Math.abs(minor - Number(clientVersion.minor));
  if (server["major"] === clientVersion.major && !(apart > 1)) return undefined;
  return `WARNING: version difference between client (${clientVersion.major}.${clientVersion.minor}) and server (${server["major"]}.${minor}) exceeds the supported minor version skew of +/-1\n`;
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const output = flags.string("output");
  if (args.length > 0) throw new CommandError(`extra arguments: [${args.join(" ")}]`);
  if (!["", "yaml", "json"].includes(output)) throw new CommandError("--output must be 'yaml' or 'json'");
  const versions: Versions = { clientVersion, kustomizeVersion };
  let failure: unknown;
  if (!flags.bool("client")) {
    try {
      versions.serverVersion = await (await context.client()).json("GET", "/version");
    } catch (thrown) {
      // What is known of the client is told all the same, and then what went wrong.
      failure = thrown;
    }
  }
  if (output === "json")
    context.print(`${JSON.stringify(versions, null, 2)}
`);
  else if (output === "yaml") {
    const { printYaml } = await import("#machinery/codec/yaml.ts");
    context.print(`${printYaml(versions)}\n`);
  } else {
    context.print(`Client Version: ${clientVersion.gitVersion}\nKustomize Version: ${kustomizeVersion}\n`);
    if (versions.serverVersion !== undefined)
      context.print(`Server Version: ${versions.serverVersion["gitVersion"] ?? ""}\n`);
  }
  if (failure !== undefined) throw failure as Error;
  const apart = versions.serverVersion === undefined ? undefined : skew(versions.serverVersion);
  if (apart !== undefined) context.printError(apart);
}

export const version: Command = {
  name: "version",
  use: "version [flags]",
  short: "Print the versions of client and server",
  long: "Print the versions of this client and of the server that the current context names.",
  examples:
    "# Both versions\nkubectl version\n\n# Only this client's, as JSON\nkubectl version --client -o json",
  flags: [
    {
      name: "client",
      type: "bool",
      default: "false",
      usage: "Only this client's version: no server is asked",
    },
    { name: "output", shorthand: "o", type: "string", default: "''", usage: "One of 'yaml' or 'json'." },
  ],
  run,
};
