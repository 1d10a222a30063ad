// `kubectl delete`: removes objects by name, file, or selector, and waits until they are gone.

import { resourcePath } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { dryRunMark, dryRunOf, type DryRun } from "../dry-run.ts";
import { kindName } from "../discovery.ts";
import { throwFailures } from "../failure.ts";
import { dryRunFlag, fieldSelectorFlag, filenameFlags, selectorFlag } from "../flag-groups.ts";
import { withSource } from "../targets/api-failure.ts";
import { expandTarget } from "../targets/fetch.ts";
import { nothingNamed, resolveTargets, type Target } from "../targets/resolve.ts";
import { untilGone } from "../targets/until-gone.ts";

interface Plan {
  readonly dryRun: DryRun;
  readonly gracePeriod: number;
  readonly force: boolean;
  readonly propagation: string;
  readonly ignoreNotFound: boolean;
  readonly nameOnly: boolean;
  readonly wait: boolean;
  readonly timeoutMs: number;
}

const cascades: Readonly<Record<string, string>> = {
  background: "Background",
  foreground: "Foreground",
  orphan: "Orphan",
  true: "Background",
  false: "Orphan",
};

function planOf(context: Context): Plan {
  const { flags } = context;
  const cascade = cascades[flags.string("cascade")];
  if (cascade === undefined)
    throw new CommandError(
      `invalid cascade value (${flags.string("cascade")}). Must be "background", "foreground", or "orphan"`,
    );
  let gracePeriod = flags.int("grace-period");
  const force = flags.bool("force");
  let wait = flags.bool("wait");
  if (flags.bool("now")) {
    if (gracePeriod !== -1) throw new CommandError("--now and --grace-period cannot be specified together");
    gracePeriod = 1;
  }
  if (gracePeriod === 0 && !force) {
    // Zero without force: as short as can be, but waiting for the node's word.
    gracePeriod = 1;
    if (!flags.changed("wait")) wait = true;
  }
  if (force && gracePeriod < 0) gracePeriod = 0;
  if (force && gracePeriod > 0)
    throw new CommandError("--force and --grace-period greater than 0 cannot be specified together");
  if (force && gracePeriod === 0 && !flags.changed("wait")) wait = false;
  const mode = dryRunOf(context);
  if (gracePeriod === 0 && force && mode === "none")
    context.printError(
      "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n",
    );
  return {
    dryRun: mode,
    gracePeriod,
    force,
    propagation: cascade,
    ignoreNotFound: flags.bool("ignore-not-found"),
    nameOnly: flags.string("output") === "name",
    wait: wait && mode === "none",
    timeoutMs: flags.durationMs("timeout"),
  };
}

async function deleteOne(context: Context, target: Target, plan: Plan): Promise<KubeObject | undefined> {
  const client = await context.client();
  const options = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: plan.propagation,
    ...(plan.gracePeriod >= 0 ? { gracePeriodSeconds: plan.gracePeriod } : {}),
    ...(plan.dryRun === "server" ? { dryRun: ["All"] } : {}),
  };
  return client.json("DELETE", resourcePath(target.resource, target.namespace, target.name), options);
}

function tellDeleted(context: Context, { resource, name = "", namespace }: Target, plan: Plan): void {
  const kind = kindName(resource);
  if (plan.nameOnly) return context.print(`${kind}/${name}\n`);
  const how = plan.gracePeriod === 0 ? " force deleted" : " deleted";
  const where = resource.namespaced ? ` from ${namespace} namespace` : "";
  context.print(`${kind} ${JSON.stringify(name)}${how}${where}${dryRunMark(plan.dryRun)}\n`);
}

function checkFlags({ flags }: Context, args: readonly string[]): void {
  const all = flags.bool("all");
  if (args.length === 0 && flags.list("filename").length === 0 && flags.string("kustomize") === "")
    throw new CommandError(nothingNamed);
  if (all && flags.string("selector") !== "")
    throw new CommandError("setting 'all' parameter but found a non empty selector. ");
  if (all && flags.string("field-selector") !== "")
    throw new CommandError("cannot set --all and --field-selector at the same time");
  if (!["", "name"].includes(flags.string("output")))
    throw new CommandError(`unexpected -o output mode: ${flags.string("output")}. We only support '-o name'`);
}

async function findAll(
  context: Context,
  args: readonly string[],
): Promise<{ found: Target[]; errors: unknown[] }> {
  const resolved = await resolveTargets(context, args, { bareTypes: false, all: context.flags.bool("all") });
  const errors: unknown[] = [...resolved.errors];
  const found: Target[] = [];
  for (const target of resolved.targets) {
    try {
      found.push(...(await expandTarget(context, target)));
    } catch (thrown) {
      errors.push(thrown);
    }
  }
  return { found, errors };
}

/** Shows what would go, and asks. Anything but y and yes is a no. */
async function isConfirmed({ io, print }: Context, targets: readonly Target[]): Promise<boolean> {
  const names = targets.map(({ resource, name = "" }) => `${kindName(resource)}/${name}\n`);
  print(`You are about to delete the following ${targets.length} resource(s):\n${names.join("")}`);
  print("Do you want to continue? (y/N): ");
  let answer = "";
  for await (const chunk of io.stdin.stream()) {
    answer += String(chunk);
    if (answer.includes("\n")) break;
  }
  return /^(y|yes)$/i.test((answer.split("\n")[0] ?? "").trim());
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  if (context.flags.string("raw") !== "") {
    const { rawRequest } = await import("./raw-request.ts");
    return rawRequest(context, "DELETE");
  }
  checkFlags(context, args);
  const plan = planOf(context);
  const { found, errors: failed } = await findAll(context, args);
  if (context.flags.bool("interactive") && found.length > 0 && !(await isConfirmed(context, found)))
    return context.print("deletion is cancelled\n");
  const gone: { target: Target; uid: string }[] = [];
  for (const target of found) {
    try {
      const answer = plan.dryRun === "client" ? undefined : await deleteOne(context, target, plan);
      tellDeleted(context, target, plan);
      const { uid = "" } = (answer as { details?: { uid?: string } } | undefined)?.details ?? {};
      gone.push({ target, uid: uid || answer?.metadata?.uid || "" });
    } catch (thrown) {
      if (plan.ignoreNotFound && isApiError(thrown, "NotFound")) continue;
      failed.push(withSource(thrown, "deleting", target.source));
    }
  }
  throwFailures(failed);
  if (found.length === 0) context.print("No resources found\n");
  if (!plan.wait) return;
  for (const { target, uid } of gone) await untilGone(context, target, uid, plan.timeoutMs);
}

export const deleteCommand: Command = {
  name: "delete",
  use: "delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
  short: "Delete resources by file, by name, or by label",
  long: `Delete resources: those that files describe, those of these names, or all that a selector picks.

What runs gets time to end (--grace-period; a pod's own unless said otherwise), and the command waits until it is gone. With --force nothing is waited for, and what ran may still be running.`,
  examples: `# What a file describes
kubectl delete -f ./pod.json

# By type and name
kubectl delete pod unwanted
kubectl delete pod,service baz

# By label
kubectl delete pods,services -l name=myLabel

# At once, without a word from the node
kubectl delete pod foo --force

# All pods of the namespace
kubectl delete pods --all`,
  flags: [
    {
      name: "all",
      type: "bool",
      default: "false",
      usage: "All objects of the given types, in the namespace",
    },
    { name: "all-namespaces", shorthand: "A", type: "bool", default: "false", usage: "In every namespace" },
    {
      name: "cascade",
      type: "string",
      default: "'background'",
      alone: "background",
      usage:
        'One of "background", "orphan", "foreground": what becomes of the objects that the deleted one owns.',
    },
    dryRunFlag,
    fieldSelectorFlag,
    ...filenameFlags("of what to delete"),
    {
      name: "force",
      type: "bool",
      default: "false",
      usage: "Remove at once, without waiting for the end of what runs",
    },
    {
      name: "grace-period",
      type: "int",
      default: "-1",
      usage: "Seconds to end in. Negative: the object's own. 0 only with --force.",
    },
    { name: "ignore-not-found", type: "bool", default: "false", usage: "What does not exist is no error" },
    { name: "interactive", shorthand: "i", type: "bool", default: "false", usage: "Ask before deleting" },
    { name: "now", type: "bool", default: "false", usage: "The same as --grace-period=1" },
    {
      name: "output",
      shorthand: "o",
      type: "string",
      default: "''",
      usage: "Output mode. Use -o name for names only.",
    },
    { name: "raw", type: "string", default: "''", usage: "A path to DELETE, as it stands" },
    selectorFlag,
    { name: "timeout", type: "duration", default: "0s", usage: "How long to wait; 0: as long as it takes" },
    { name: "wait", type: "bool", default: "true", usage: "Wait until it is gone, finalizers and all" },
  ],
  run,
};
