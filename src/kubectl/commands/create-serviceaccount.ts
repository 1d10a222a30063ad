// `kubectl create serviceaccount NAME`.

import { ServiceAccounts } from "#client/refs.ts";
import type { Command } from "../command.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

export const createServiceAccount: Command = {
  name: "serviceaccount",
  aliases: ["sa"],
  use: "serviceaccount NAME [--dry-run=server|client|none]",
  short: "Create a service account with the specified name",
  examples: "# A service account called my-service-account\nkubectl create serviceaccount my-service-account",
  flags: createFlags,
  run: (context, args) =>
    createObject(
      context,
      ServiceAccounts,
      { kind: "ServiceAccount", apiVersion: "v1", metadata: { name: nameOf(args) } },
      "failed to create serviceaccount",
    ),
};
