// `kubectl scale`: sets how many replicas there should be, through the scale subresource.

import { resourcePath } from "#client/client.ts";
import { groupResource, type KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { dryRunMark, dryRunOf } from "../dry-run.ts";
import { SeveralErrors } from "../failure.ts";
import { dryRunFlag, filenameFlags, outputFlags, selectorFlag } from "../flag-groups.ts";
import { itemsOf, noSuchFormat, objectFormats, objectPrinter, splitFormat } from "../printers/objects.ts";
import { fetchTarget, readTargets, type Target } from "../targets/fetch.ts";

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas?: number };
}

const retriesMax = 5;

async function setReplicas(context: Context, target: Target, server: boolean): Promise<void> {
  const { flags } = context;
  const client = await context.client();
  const path = resourcePath(target.resource, target.namespace, target.name, "scale");
  const expected = flags.int("current-replicas");
  for (let attempt = 0; ; attempt++) {
    const current = await client.json<Scale>("GET", path);
    const replicas = current.spec?.replicas ?? 0;
    if (flags.changed("current-replicas") && expected >= 0 && replicas !== expected)
      throw new CommandError(`Expected replicas to be ${expected}, was ${replicas}`);
    try {
      await client.json("PUT", server ? `${path}?dryRun=All` : path, {
        ...current,
        spec: { ...current.spec, replicas: flags.int("replicas") },
      });
      return;
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.reason !== "Conflict" || attempt >= retriesMax)
        throw thrown;
    }
  }
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  if (flags.int("replicas") < 0)
    throw new CommandError(
      "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
    );
  const output = flags.string("output");
  const printer = await objectPrinter(output, flags);
  if (printer === undefined && output !== "") throw noSuchFormat(splitFormat(output).format, objectFormats);
  const { mode } = dryRunOf(flags);
  const { targets, errors } = await readTargets(context, args);
  const failed: unknown[] = [...errors];
  for (const listed of targets) {
    for (const target of listed.name === undefined ? await namesOf(context, listed) : [listed]) {
      try {
        if (mode !== "client") await setReplicas(context, target, mode === "server");
        const kind = groupResource({
          group: target.resource.group,
          resource: target.resource.kind.toLowerCase(),
        });
        context.print(`${kind}/${target.name ?? ""} scaled${dryRunMark(mode)}\n`);
      } catch (thrown) {
        failed.push(thrown);
      }
    }
  }
  if (failed.length === 1) throw failed[0] as Error;
  if (failed.length > 1) throw new SeveralErrors(failed);
}

async function namesOf(context: Context, target: Target): Promise<Target[]> {
  const list = await fetchTarget(context, target, {
    accept: "application/json",
    chunkSize: 500,
    labelSelector: context.flags.string("selector"),
    fieldSelector: "",
    subresource: "",
  });
  return itemsOf(list).map(({ metadata }) => ({
    ...target,
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
  }));
}

export const scale: Command = {
  name: "scale",
  use: "scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
  short: "Set how many replicas there should be",
  long: "Set how many replicas a replication controller, or anything else with a scale subresource, should have.",
  examples: `# Three of them
kubectl scale --replicas=3 rc/web

# Of what a file describes
kubectl scale --replicas=3 -f web.yaml

# Only if there are two now
kubectl scale --current-replicas=2 --replicas=3 rc/web`,
  flags: [
    { name: "all", type: "bool", default: "false", usage: "All objects of the given types" },
    {
      name: "current-replicas",
      type: "int",
      default: "-1",
      usage: "Scale only where this many replicas are asked for now",
    },
    dryRunFlag,
    ...filenameFlags("of what to scale"),
    ...outputFlags(),
    { name: "replicas", type: "int", default: "0", usage: "How many there should be. Required." },
    {
      name: "resource-version",
      type: "string",
      default: "''",
      usage: "Scale only where the object has this resource version",
    },
    selectorFlag,
    {
      name: "timeout",
      type: "duration",
      default: "0s",
      usage: "How long to wait for the replicas; 0: not at all",
    },
  ],
  requiredFlags: ["replicas"],
  run,
};
