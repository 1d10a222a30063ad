// `kubectl get -o …`: the objects themselves, several of them as one list.

import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import type { Context } from "../command.ts";
import { SeveralErrors } from "../failure.ts";
import { itemsOf, type ObjectPrinter } from "../printers/objects.ts";
import { fetchTarget, readTargets } from "../targets/fetch.ts";

export async function getObjects(
  context: Context,
  args: readonly string[],
  printer: ObjectPrinter,
): Promise<void> {
  const { flags } = context;
  const { targets, errors, single } = await readTargets(context, args);
  const failed: unknown[] = [...errors];
  const objects: KubeObject[] = [];
  for (const target of targets) {
    try {
      const answer = await fetchTarget(context, target, {
        accept: "application/json",
        chunkSize: flags.int("chunk-size"),
        labelSelector: flags.string("selector"),
        fieldSelector: flags.string("field-selector"),
        subresource: flags.string("subresource"),
      });
      if (target.name !== undefined) objects.push(answer);
      else objects.push(...listItems(answer));
    } catch (thrown) {
      if (flags.bool("ignore-not-found") && isApiError(thrown, "NotFound")) continue;
      failed.push(thrown);
    }
  }
  if (single && failed.length > 0) throw failed[0] as Error;
  if (!(objects.length === 0 && flags.bool("ignore-not-found"))) {
    const [only] = objects;
    context.print(
      printer(
        single && only !== undefined
          ? only
          : ({
              apiVersion: "v1",
              items: objects,
              kind: "List",
              metadata: { resourceVersion: "" },
            } as KubeObject),
      ),
    );
  }
  if (failed.length === 1) throw failed[0] as Error;
  if (failed.length > 1) throw new SeveralErrors(failed);
}

/** Items of a list do not say what they are: the list does. */
function listItems(list: KubeObject): KubeObject[] {
  const kind = (list.kind ?? "").replace(/List$/, "");
  return itemsOf(list).map((item) => ({
    ...item,
    apiVersion: item.apiVersion ?? list.apiVersion ?? "",
    kind: item.kind ?? kind,
  }));
}
