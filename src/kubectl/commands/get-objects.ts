// `kubectl get -o …`: the objects themselves, several of them as one list.

import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { CommandError, type Context } from "../command.ts";
import { throwFailures } from "../failure.ts";
import type { ObjectPrinter } from "../printers/objects.ts";
import { sortBy } from "../printers/sort.ts";
import { fetchItems, fetchTarget } from "../targets/fetch.ts";
import { resolveTargets } from "../targets/resolve.ts";

export async function getObjects(
  context: Context,
  args: readonly string[],
  printer: ObjectPrinter,
): Promise<void> {
  const { flags } = context;
  const { targets, errors, single } = await resolveTargets(context, args);
  const failed: unknown[] = [...errors];
  const objects: KubeObject[] = [];
  const options = { chunkSize: flags.int("chunk-size") };
  for (const target of targets) {
    try {
      if (target.name !== undefined) objects.push(await fetchTarget(context, target, options));
      else objects.push(...(await fetchItems(context, target, options)));
    } catch (thrown) {
      if (!(flags.bool("ignore-not-found") && isApiError(thrown, "NotFound"))) failed.push(thrown);
    }
  }
  if (single && failed.length > 0) throwFailures(failed);
  if (objects.length > 0 || !flags.bool("ignore-not-found"))
    context.print(printer(toPrint(sorted(context, objects), single)));
  throwFailures(failed);
}

function toPrint(objects: readonly KubeObject[], single: boolean): KubeObject {
  const [only] = objects;
  if (single && only !== undefined) return only;
  const list = { apiVersion: "v1", items: objects, kind: "List", metadata: { resourceVersion: "" } };
  return list as KubeObject;
}

function sorted({ flags }: Context, objects: readonly KubeObject[]): readonly KubeObject[] {
  const field = flags.string("sort-by");
  if (field === "") return objects;
  const { sorted: inOrder, nowhere } = sortBy(objects, (object) => object, field);
  if (nowhere !== undefined)
    throw new CommandError(
      `couldn't find any field with path ${JSON.stringify(nowhere)} in the list of objects`,
    );
  return inOrder;
}
