// PUT namespaces/NAME/finalize: whoever emptied the namespace takes its finalizer away; without any it is gone.

import type { ApiResponse } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { conflict, methodNotAllowed, staleObject } from "#machinery/status.ts";
import { formFor } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import { decodeRequestObject } from "../decode-body.ts";
import { managedByUpdate } from "../managed-fields.ts";
import { writeOptions } from "../options.ts";
import { oneAnswer } from "../verbs/read.ts";
import { commitDelete, commitUpdate, current, retrying } from "../write.ts";

interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
}

export async function finalizeNamespace(context: ResourceContext): Promise<ApiResponse> {
  const { definition, info } = context;
  const subject = { group: definition.group, resource: definition.resource };
  if (info.verb !== "update") throw methodNotAllowed();
  const options = writeOptions(context);
  const given = (await decodeRequestObject(context.request, definition, {
    ...options,
    warn: (message) => context.warn(message),
  })) as Namespace;
  const wanted = given.metadata?.resourceVersion ?? "";
  const written = await retrying(
    async () => {
      const old = await current(context, "", info.name);
      if (wanted !== "" && wanted !== String(old.revision)) throw conflict(subject, info.name, staleObject);
      const next = old.draft<Namespace>();
      const finalizers = given.spec?.finalizers ?? [];
      next.spec = finalizers.length === 0 ? {} : { finalizers };
      const done =
        finalizers.length === 0 &&
        next.metadata?.deletionTimestamp !== undefined &&
        (next.metadata.finalizers ?? []).length === 0;
      return done
        ? commitDelete(context, old, options.dryRun)
        : commitUpdate(
            context,
            next,
            old,
            options.dryRun,
            await managedByUpdate(context, next, old, undefined),
          );
    },
    { conflicts: wanted === "" },
  );
  return oneAnswer(context, 200, written, formFor(context, { protobuf: true, views: true }));
}
