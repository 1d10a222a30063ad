// `kubectl create configmap NAME`: from literals, files, folders or env files.

import { isUtf8 } from "node:buffer";
import { ConfigMaps } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Command, Context } from "../command.ts";
import { dataFlags, readData } from "../targets/data-sources.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

function run(context: Context, args: readonly string[]): Promise<void> {
  const name = nameOf(args);
  const entries = [...readData(context)];
  const texts = entries.filter(([, value]) => isUtf8(value)).map(([key, value]) => [key, value.toString()]);
  const bytes = entries
    .filter(([, value]) => !isUtf8(value))
    .map(([key, value]) => [key, value.toString("base64")]);
  const object = {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { name },
    ...(texts.length === 0 ? {} : { data: Object.fromEntries(texts) as object }),
    ...(bytes.length === 0 ? {} : { binaryData: Object.fromEntries(bytes) as object }),
  };
  return createObject(context, ConfigMaps, object as KubeObject, "failed to create configmap");
}

export const createConfigMap: Command = {
  name: "configmap",
  aliases: ["cm"],
  use: "configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
  short: "Create a config map from files, folders or literal values",
  examples: `# From the files of a folder
kubectl create configmap my-config --from-file=path/to/bar

# From literal values
kubectl create configmap my-config --from-literal=key1=config1 --from-literal=key2=config2

# From a file of KEY=value lines
kubectl create configmap my-config --from-env-file=path/to/foo.env`,
  flags: [...createFlags, ...dataFlags],
  run,
};
