// What pods have beyond objects: being bound to a node, and streams that the node's kubelet serves.

import type { ApiResponse } from "#machinery/api-request.ts";
import { timestamp } from "#base/clock.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { required } from "#machinery/field-error.ts";
import { badRequest, conflict, invalidObject, methodNotAllowed } from "#machinery/status.ts";
import { validate } from "../admit.ts";
import { formFor, objectAnswer, successStatus } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import { decodeKind } from "../decode-body.ts";
import { writeOptions } from "../options.ts";
import { commitUpdate, current, namespaceOf, retrying } from "../write.ts";

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}

interface Pod extends KubeObject {
  spec?: { nodeName?: string; schedulingGates?: unknown[] };
  status?: {
    conditions?: { type: string; status: string; [field: string]: unknown }[];
    [field: string]: unknown;
  };
}

const bindingKind = { group: "", version: "v1", kind: "Binding" };

/** POST pods/NAME/binding: the scheduler's decision. A pod is bound once and for all. */
export async function binding(context: ResourceContext): Promise<ApiResponse> {
  const { info, server } = context;
  if (info.verb !== "create") throw methodNotAllowed();
  const options = writeOptions(context);
  const given = (await decodeKind(context.request, bindingKind, {
    ...options,
    warn: (message) => context.warn(message),
  })) as Binding;
  if (given.metadata?.name && given.metadata.name !== info.name)
    throw badRequest("name in URL does not match name in Binding object");
  const node = given.target?.name ?? "";
  if (given.target?.kind && given.target.kind !== "Node")
    throw badRequest(
      `target.kind: Unsupported value: ${JSON.stringify(given.target.kind)}: supported values: "Node"`,
    );
  if (node === "") throw invalidObject(bindingKind, info.name, [required("target.name")]);

  await retrying(
    async () => {
      const old = await current(context, namespaceOf(context), info.name);
      const pod = old.draft<Pod>();
      const refuse = (why: string): never => {
        throw conflict({ group: "", resource: "pods/binding" }, info.name, why);
      };
      const uid = given.metadata?.uid;
      if (uid && uid !== pod.metadata?.uid)
        refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid}`);
      if (pod.metadata?.deletionTimestamp !== undefined)
        refuse(`pod ${info.name} is being deleted, cannot be assigned to a host`);
      if (pod.spec?.nodeName)
        refuse(`pod ${info.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
      if ((pod.spec?.schedulingGates ?? []).length > 0)
        refuse(`pod ${info.name} has non-empty .spec.schedulingGates`);
      pod.spec = { ...pod.spec, nodeName: node };
      const metadata = (pod.metadata ??= {});
      if (given.metadata?.annotations !== undefined)
        metadata.annotations = { ...metadata.annotations, ...given.metadata.annotations };
      if (given.metadata?.labels !== undefined)
        metadata.labels = { ...metadata.labels, ...given.metadata.labels };
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
      const scheduled = {
        type: "PodScheduled",
        status: "True",
        lastProbeTime: null,
        lastTransitionTime: timestamp(server.clock.now()),
      };
      pod.status = { ...pod.status, conditions: [...others, scheduled] };
      await validate(context, { operation: "CREATE", object: given, old: undefined, dryRun: options.dryRun });
      return commitUpdate(context, pod, old, options.dryRun);
    },
    { conflicts: true },
  );
  const form = formFor(context, { protobuf: true, views: false });
  return objectAnswer(201, { ...successStatus(undefined), code: 201 }, form);
}
