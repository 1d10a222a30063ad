// `kubectl create namespace NAME`.

import { Namespaces } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Command } from "../command.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

export const createNamespace: Command = {
  name: "namespace",
  aliases: ["ns"],
  use: "namespace NAME [--dry-run=server|client|none]",
  short: "Create a namespace with the specified name",
  examples: "# A namespace called my-namespace\nkubectl create namespace my-namespace",
  flags: createFlags,
  run: (context, args) => {
    const object = {
      kind: "Namespace",
      apiVersion: "v1",
      metadata: { name: nameOf(args) },
      spec: {},
      status: {},
    };
    return createObject(context, Namespaces, object as KubeObject);
  },
};
