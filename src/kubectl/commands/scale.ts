// `kubectl scale`: sets how many replicas there should be, through the scale subresource.

import { resourcePath } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { dryRunMark, dryRunOf } from "../dry-run.ts";
import { kindName } from "../discovery.ts";
import { throwFailures } from "../failure.ts";
import { dryRunFlag, filenameFlags, outputFlags, selectorFlag } from "../flag-groups.ts";
import { objectPrinter } from "../printers/objects.ts";
import { expandTarget, fetchTarget } from "../targets/fetch.ts";
import { resolveTargets, type Target } from "../targets/resolve.ts";

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas?: number };
}

interface Found {
  readonly target: Target;
  readonly object: KubeObject;
}

const retriesMax = 5;
const pollMs = 100;

const pathOf = ({ resource, namespace, name }: Target): string =>
  resourcePath(resource, namespace, name, "scale");

/** Sets the number only where the one before, or the version, is what was said. */
async function setUnder(context: Context, target: Target, query: string): Promise<void> {
  const { flags } = context;
  const client = await context.client();
  const [replicas, version] = [flags.int("current-replicas"), flags.string("resource-version")];
  for (let attempt = 0; ; attempt++) {
    const current = await client.json<Scale>("GET", pathOf(target));
    const { replicas: now = 0 } = current.spec ?? {};
    if (replicas >= 0 && now !== replicas)
      throw new CommandError(`Expected replicas to be ${replicas}, was ${now}`);
    const { resourceVersion = "" } = current.metadata ?? {};
    if (version !== "" && resourceVersion !== version)
      throw new CommandError(`Expected resource version to be ${version}, was ${resourceVersion}`);
    try {
      const changed = { ...current, spec: { ...current.spec, replicas: flags.int("replicas") } };
      await client.json("PUT", pathOf(target) + query, changed);
      return;
    } catch (thrown) {
      if (!isApiError(thrown, "Conflict") || attempt >= retriesMax) throw thrown;
    }
  }
}

async function setReplicas(context: Context, target: Target, server: boolean): Promise<void> {
  const { flags } = context;
  const query = server ? "?dryRun=All" : "";
  if (flags.int("current-replicas") >= 0 || flags.string("resource-version") !== "")
    return setUnder(context, target, query);
  const patch = { spec: { replicas: flags.int("replicas") } };
  const client = await context.client();
  await client.json("PATCH", pathOf(target) + query, patch, "application/merge-patch+json");
}

async function untilScaled(context: Context, target: Target): Promise<void> {
  const { flags } = context;
  const timeoutMs = flags.durationMs("timeout");
  const client = await context.client();
  const endMs = context.io.now() + timeoutMs;
  while (timeoutMs > 0) {
    const { status } = await client.json<Scale>("GET", pathOf(target));
    if ((status?.replicas ?? 0) === flags.int("replicas")) return;
    if (context.io.now() > endMs) throw new CommandError("timed out waiting for the condition");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function findAll(
  context: Context,
  args: readonly string[],
): Promise<{ found: Found[]; errors: unknown[] }> {
  const { targets, errors } = await resolveTargets(context, args, {
    bareTypes: false,
    all: context.flags.bool("all"),
  });
  const failed: unknown[] = [...errors];
  const found: Found[] = [];
  for (const listed of targets) {
    try {
      for (const target of await expandTarget(context, listed))
        found.push({ target, object: await fetchTarget(context, target) });
    } catch (thrown) {
      failed.push(thrown);
    }
  }
  return { found, errors: failed };
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const printer = await objectPrinter(context, { columns: false });
  if (flags.int("replicas") < 0)
    throw new CommandError(
      "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
    );
  const mode = dryRunOf(context);
  const { found, errors } = await findAll(context, args);
  if (flags.string("resource-version") !== "" && found.length > 1)
    throw new CommandError("cannot use --resource-version with multiple resources");
  for (const { target, object } of found) {
    if (mode !== "client") await setReplicas(context, target, mode === "server");
    if (mode === "none") await untilScaled(context, target);
    const name = `${kindName(target.resource)}/${target.name ?? ""}`;
    if (printer === undefined) context.print(`${name} scaled${dryRunMark(mode)}\n`);
    else context.print(printer(scaledTo(object, flags.int("replicas"))));
  }
  throwFailures(errors);
  if (found.length === 0) throw new CommandError("no objects passed to scale");
}

const scaledTo = (object: KubeObject, replicas: number): KubeObject => {
  const { spec } = object as { spec?: object };
  return { ...object, spec: { ...spec, replicas } } as KubeObject;
};

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
