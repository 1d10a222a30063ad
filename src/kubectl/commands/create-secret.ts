// `kubectl create secret generic NAME`: from literals, files, folders or env files.

import { Secrets } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Command, Context } from "../command.ts";
import { dataFlags, readData } from "../targets/data-sources.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

function run(context: Context, args: readonly string[]): Promise<void> {
  const name = nameOf(args);
  const entries = [...readData(context)].map(([key, value]) => [key, value.toString("base64")]);
  const type = context.flags.string("type");
  const object = {
    kind: "Secret",
    apiVersion: "v1",
    metadata: { name },
    ...(entries.length === 0 ? {} : { data: Object.fromEntries(entries) as object }),
    ...(type === "" ? {} : { type }),
  };
  return createObject(context, Secrets, object as KubeObject, "failed to create secret");
}

const generic: Command = {
  name: "generic",
  use: "generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
  short: "Create a secret from files, folders or literal values",
  examples: "# From literal values\nkubectl create secret generic my-secret --from-literal=key1=supersecret",
  flags: [
    ...createFlags,
    ...dataFlags,
    { name: "type", type: "string", default: "''", usage: "The secret's type" },
  ],
  run,
};

export const createSecret: Command = {
  name: "secret",
  use: "secret (generic)",
  short: "Create a secret using a specified subcommand",
  notBuilt: ["docker-registry", "tls"],
  subcommands: [generic],
};
