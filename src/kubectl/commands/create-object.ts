// What the subcommands of create have in common: one NAME, --dry-run, -o, and one object sent to the server.

import { resourcePath, type ResourceRef } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { CommandError, UsageError, type Context } from "../command.ts";
import { dryRunMark, dryRunOf } from "../dry-run.ts";
import { dryRunFlag, fieldManagerFlag, outputFlags, validateFlag } from "../flag-groups.ts";
import type { FlagSpec } from "../flags.ts";
import { describeRequest, isNetworkFailure } from "../network-failure.ts";
import { objectName, objectPrinter } from "../printers/objects.ts";
import { withLastApplied } from "../targets/last-applied.ts";
import { validationOf } from "./validation-flag.ts";

export const createFlags: readonly FlagSpec[] = [
  dryRunFlag,
  fieldManagerFlag("kubectl-create"),
  ...outputFlags(),
  {
    name: "save-config",
    type: "bool",
    default: "false",
    usage: "Keep the object in its annotation, for a later apply",
  },
  validateFlag,
];

function failedTo(doing: string, thrown: unknown): unknown {
  if (isNetworkFailure(thrown)) return new CommandError(`${doing}: ${describeRequest(thrown)}`);
  return thrown instanceof ApiError ? new CommandError(`${doing}: ${thrown.message}`) : thrown;
}

export function nameOf(args: readonly string[]): string {
  if (args.length !== 1) throw new UsageError(`exactly one NAME is required, got ${args.length}`);
  return args[0] as string;
}

/** Objects made here print their own JSON in the order of their fields. */
export async function createObject(
  context: Context,
  ref: ResourceRef,
  object: KubeObject,
  doing?: string,
): Promise<void> {
  const { flags } = context;
  const printer = await objectPrinter(context, { columns: false, typed: true });
  const dryRun = dryRunOf(context);
  const validation = validationOf(flags.string("validate"));
  const namespace = await context.namespace();
  const placed =
    ref.namespaced && (dryRun !== "client" || namespace.explicit)
      ? { ...object, metadata: { ...object.metadata, namespace: namespace.name } }
      : object;
  const toSend = flags.bool("save-config") ? withLastApplied(placed) : placed;
  const query = new URLSearchParams({
    ...(dryRun === "server" ? { dryRun: "All" } : {}),
    fieldManager: flags.string("field-manager"),
    fieldValidation: validation,
  });
  let answer = toSend;
  if (dryRun !== "client") {
    try {
      const path = `${resourcePath(ref, namespace.name)}?${query.toString()}`;
      answer = await (await context.client()).json("POST", path, toSend);
    } catch (thrown) {
      throw doing === undefined ? thrown : failedTo(doing, thrown);
    }
  }
  context.print(printer?.(answer) ?? `${objectName(answer)} created${dryRunMark(dryRun)}\n`);
}
