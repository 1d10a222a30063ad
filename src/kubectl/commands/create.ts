// `kubectl create -f`: sends each document of the files to the server. Its subcommands make objects from flags.

import { resourcePath } from "#client/client.ts";
import { parseSelector, matches, type Selector } from "#machinery/selectors.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError, isApiError } from "#machinery/status.ts";
import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import { dryRunMark, dryRunOf, type DryRun } from "../dry-run.ts";
import type { Discovery } from "../discovery.ts";
import { throwFailures } from "../failure.ts";
import { describeRequest, isNetworkFailure } from "../network-failure.ts";
import {
  dryRunFlag,
  fieldManagerFlag,
  filenameFlags,
  objectFormats as formats,
  outputFlags,
  selectorFlag,
  validateFlag,
} from "../flag-groups.ts";
import { objectName, objectPrinter, type ObjectPrinter } from "../printers/objects.ts";
import { withSource } from "../targets/api-failure.ts";
import { withLastApplied } from "../targets/last-applied.ts";
import { invalidManifest, readManifests, readSource, type Manifest } from "../targets/manifests.ts";
import { targetOfObject } from "../targets/resolve.ts";
import { createConfigMap } from "./create-configmap.ts";
import { createNamespace } from "./create-namespace.ts";
import { createClusterRole, createRole } from "./create-role.ts";
import { createClusterRoleBinding, createRoleBinding } from "./create-rolebinding.ts";
import { createService } from "./create-service.ts";
import { createSecret } from "./create-secret.ts";
import { createServiceAccount } from "./create-serviceaccount.ts";
import { createToken } from "./create-token.ts";
import { validationOf, type Validation } from "./validation-flag.ts";

interface Plan {
  readonly dryRun: DryRun;
  readonly validation: Validation;
  readonly printer: ObjectPrinter | undefined;
  readonly selector: Selector;
}

async function createOne(context: Context, { object, source }: Manifest, plan: Plan): Promise<void> {
  if (plan.validation !== "Ignore") await checkKindIsKnown(context, object, source);
  const { resource, namespace } = await targetOfObject(context, object, source);
  let toSend: KubeObject = resource.namespaced
    ? { ...object, metadata: { ...object.metadata, namespace } }
    : object;
  if (context.flags.bool("save-config")) toSend = withLastApplied(toSend);
  const answer =
    plan.dryRun === "client"
      ? toSend
      : await post(context, resourcePath(resource, namespace), toSend, plan, source);
  if (plan.printer !== undefined) context.print(plan.printer(answer));
  else context.print(`${objectName(answer)} created${dryRunMark(plan.dryRun)}\n`);
}

async function post(
  context: Context,
  path: string,
  object: KubeObject,
  { dryRun, validation }: Plan,
  source: string,
): Promise<KubeObject> {
  const query = new URLSearchParams({
    ...(dryRun === "server" ? { dryRun: "All" } : {}),
    fieldManager: context.flags.string("field-manager"),
    fieldValidation: validation,
  });
  try {
    return await (await context.client()).json("POST", `${path}?${query.toString()}`, object);
  } catch (thrown) {
    throw withSource(thrown, "creating", source);
  }
}

/** A kind that a served version does not have may still be defined by a CustomResourceDefinition: ask, as kubectl does. */
async function checkKindIsKnown(context: Context, object: KubeObject, source: string): Promise<void> {
  const { apiVersion = "", kind = "" } = object;
  const discovery = await discoveryOrInvalid(context, source);
  const served = discovery.groupVersions.some(
    ({ group, version }) => (group === "" ? version : `${group}/${version}`) === apiVersion,
  );
  if (!served || (await discovery.findKind(apiVersion, kind)) !== undefined) return;
  try {
    await (await context.client()).json("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
  } catch (thrown) {
    if (!isApiError(thrown)) throw thrown;
    throw invalidManifest(source, `failed to check CRD: failed to list CRDs: ${thrown.message}`);
  }
}

async function discoveryOrInvalid(context: Context, source: string): Promise<Discovery> {
  try {
    // Validation asks for something else, and so logs no attempt of its own.
    return await context.discovery({ attempts: 0 });
  } catch (thrown) {
    if (!isNetworkFailure(thrown)) throw thrown;
    const what = describeRequest(thrown, "/openapi/v2?timeout=32s");
    throw invalidManifest(source, `failed to download openapi: ${what}`);
  }
}

function selectorOf(text: string): Selector {
  try {
    return parseSelector(text);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) && !(thrown instanceof Error)) throw thrown;
    throw new CommandError(`the provided selector ${JSON.stringify(text)} is not valid: ${thrown.message}`);
  }
}

function checkFlags({ flags }: Context, args: readonly string[]): void {
  const files = flags.list("filename");
  const kustomize = flags.string("kustomize") !== "";
  if (args.length > 0) throw new UsageError(`Unexpected args: [${args.join(" ")}]`);
  if (flags.bool("edit")) throw new CommandError("--edit is not built yet");
  if (kustomize && files.length > 0) throw new CommandError("only one of -f or -k can be specified");
  if (kustomize) throw new CommandError("kustomizations are not built yet");
  if (files.length === 0) throw new CommandError("must specify one of -f and -k");
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  checkFlags(context, args);
  if (flags.string("raw") !== "") return createRaw(context);
  const plan: Plan = {
    printer: await objectPrinter(context, { columns: false }),
    dryRun: dryRunOf(context),
    validation: validationOf(flags.string("validate")),
    selector: selectorOf(flags.string("selector")),
  };
  const results = await readManifests(context.io, {
    files: flags.list("filename"),
    recursive: flags.bool("recursive"),
    validate: plan.validation !== "Ignore",
  });
  const failed: unknown[] = [];
  let count = 0;
  for (const result of results) {
    try {
      if ("error" in result) throw result.error;
      if (!matches(plan.selector, result.object.metadata?.labels)) continue;
      count++;
      await createOne(context, result, plan);
    } catch (thrown) {
      failed.push(thrown);
    }
  }
  throwFailures(failed);
  if (count === 0) throw new CommandError("no objects passed to create");
}

/** The bytes of the one file, sent as they are. */
async function createRaw(context: Context): Promise<void> {
  const files = context.flags.list("filename");
  const [file = ""] = files;
  if (files.length !== 1) throw new CommandError("--raw can only use a single local file or stdin");
  const { rawRequest } = await import("./raw-request.ts");
  return rawRequest(context, "POST", Buffer.from(await readSource(context.io, file)));
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
  notBuilt: [
    ...["cronjob", "cj", "deployment", "deploy", "ingress", "ing", "job", "poddisruptionbudget", "pdb"],
    ...["priorityclass", "pc", "quota", "resourcequota"],
  ],
  subcommands: [
    createClusterRole,
    createClusterRoleBinding,
    createConfigMap,
    createNamespace,
    createRole,
    createRoleBinding,
    createSecret,
    createService,
    createServiceAccount,
    createToken,
  ],
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
    {
      name: "raw",
      type: "string",
      default: "''",
      usage: "A path to POST the file to, as it stands",
    },
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
