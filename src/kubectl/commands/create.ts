// `kubectl create -f`: sends each document of the files to the server.

import { resourcePath } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import { dryRunMark, dryRunOf, type DryRun } from "../dry-run.ts";
import { SeveralErrors } from "../failure.ts";
import {
  dryRunFlag,
  fieldManagerFlag,
  filenameFlags,
  objectFormats as formats,
  outputFlags,
  selectorFlag,
  validateFlag,
} from "../flag-groups.ts";
import {
  noSuchFormat,
  objectFormats,
  objectName,
  objectPrinter,
  splitFormat,
  type ObjectPrinter,
} from "../printers/objects.ts";
import { targetOfObject, type Target } from "../targets/fetch.ts";
import { readManifests, type Manifest } from "../targets/manifests.ts";
import { apiFailure } from "../targets/api-failure.ts";

export type Validation = "Strict" | "Warn" | "Ignore";

export function validationOf(text: string): Validation {
  switch (text) {
    case "":
    case "strict":
    case "true":
      return "Strict";
    case "warn":
      return "Warn";
    case "ignore":
    case "false":
      return "Ignore";
    default:
      throw new CommandError(
        `invalid - validate option ${JSON.stringify(text)}; must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
}

interface Plan {
  readonly dryRun: DryRun;
  readonly validation: Validation;
  readonly printer: ObjectPrinter | undefined;
  readonly fieldManager: string;
}

async function createOne(context: Context, { object, source }: Manifest, plan: Plan): Promise<void> {
  const target = await targetOfObject(context, object, source);
  const answer = plan.dryRun === "client" ? object : await post(context, object, target, plan, source);
  if (plan.printer !== undefined) context.print(plan.printer(answer));
  else context.print(`${objectName(answer)} created${dryRunMark(plan.dryRun)}\n`);
}

async function post(
  context: Context,
  object: KubeObject,
  target: Target,
  plan: Plan,
  source: string,
): Promise<KubeObject> {
  const query = new URLSearchParams();
  if (plan.dryRun === "server") query.set("dryRun", "All");
  query.set("fieldManager", plan.fieldManager);
  query.set("fieldValidation", plan.validation);
  const client = await context.client();
  try {
    return await client.json(
      "POST",
      `${resourcePath(target.resource, target.namespace)}?${query.toString()}`,
      object,
    );
  } catch (thrown) {
    throw apiFailure(thrown, "creating", source);
  }
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const files = flags.list("filename");
  if (flags.string("kustomize") !== "") throw new CommandError("kustomizations are not built yet");
  if (files.length === 0 && flags.string("raw") === "")
    throw args.length > 0
      ? new UsageError(`Unexpected args: [${args.join(" ")}]`)
      : new CommandError("must specify one of -f and -k");
  if (args.length > 0) throw new UsageError(`Unexpected args: [${args.join(" ")}]`);
  const output = flags.string("output");
  const printer = await objectPrinter(output, flags);
  if (printer === undefined && output !== "") throw noSuchFormat(splitFormat(output).format, objectFormats);
  const { mode } = dryRunOf(flags);
  const plan: Plan = {
    dryRun: mode,
    validation: validationOf(flags.string("validate")),
    printer,
    fieldManager: flags.string("field-manager"),
  };
  const results = await readManifests(context.io, { files, recursive: flags.bool("recursive") });
  const failed: unknown[] = [];
  for (const result of results) {
    if ("error" in result) {
      failed.push(result.error);
      continue;
    }
    try {
      await createOne(context, result.manifest, plan);
    } catch (thrown) {
      failed.push(thrown);
    }
  }
  if (results.length === 0) throw new CommandError("no objects passed to create");
  if (failed.length === 1) throw failed[0] as Error;
  if (failed.length > 1) throw new SeveralErrors(failed);
}

export const create: Command = {
  name: "create",
  use: "create -f FILENAME",
  short: "Create a resource from a file or from stdin",
  long: "Create resources from files or stdin, in YAML or JSON.",
  examples: `# From a file
kubectl create -f ./pod.json

# From stdin
cat pod.json | kubectl create -f -`,
  flags: [
    dryRunFlag,
    {
      name: "edit",
      type: "bool",
      default: "false",
      usage: "Edit before creating; not built yet, and refused.",
    },
    fieldManagerFlag("kubectl-create"),
    ...filenameFlags("to create"),
    ...outputFlags(formats),
    { name: "raw", type: "string", default: "''", usage: "A path to POST the file to, as it stands" },
    {
      name: "save-config",
      type: "bool",
      default: "false",
      usage: "Keep the manifest in the object's annotation, for a later apply",
    },
    selectorFlag,
    validateFlag,
    { name: "windows-line-endings", type: "bool", default: "false", usage: "Line ends of --edit" },
  ],
  run,
};
