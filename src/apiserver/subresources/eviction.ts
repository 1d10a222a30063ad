// POST pods/NAME/eviction: a deletion that asks first whether the pod's disruption budget allows it (policy/v1 Eviction).

import { timestamp } from "#base/clock.ts";
import type { ApiResponse } from "#machinery/api-request.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { DeleteOptions } from "#machinery/gen/types/meta-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { PodDisruptionBudget } from "#machinery/gen/types/policy-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import { badRequest, failure, internalError, methodNotAllowed } from "#machinery/status.ts";
import { prefixEnd } from "#store/store.ts";
import { formFor, objectAnswer, successStatus } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import { decodeKind } from "../decode-body.ts";
import { writeOptions } from "../options.ts";
import { storagePrefix, type CachedObject } from "../stored-object.ts";
import { deleteWith } from "../verbs/delete.ts";
import { commitUpdate, current, namespaceOf, retrying } from "../write.ts";

interface Eviction extends KubeObject {
  deleteOptions?: DeleteOptions;
}

const evictionKind = { group: "policy", version: "v1", kind: "Eviction" };
/** Disrupted pods that one status can name; more means that its controller does not keep up. */
const disruptedPodsMax = 2000;
const retryAfterSeconds = 10;

const isReady = (pod: DeepReadonly<Pod>): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** A pod that does not serve yet, or no more, disrupts nobody. */
function needsNoBudget(pod: DeepReadonly<Pod>): boolean {
  const phase = pod.status?.phase;
  return (
    phase === "Succeeded" ||
    phase === "Failed" ||
    phase === "Pending" ||
    pod.metadata?.deletionTimestamp !== undefined
  );
}

function budgetsFor(
  context: ResourceContext,
  definition: ResourceDefinition,
  pod: DeepReadonly<Pod>,
): CachedObject[] {
  const prefix = `${storagePrefix(definition.storage)}${pod.metadata?.namespace ?? ""}/`;
  const cache = context.server.caches.of(definition.storage);
  return [...cache.range(prefix, prefixEnd(prefix))].filter(({ object }) => {
    const { spec } = object as PodDisruptionBudget;
    const selector = selectorFromObject(spec?.selector);
    return selector !== undefined && matches(selector, pod.metadata?.labels);
  });
}

const tooMany = (message: string, cause: string, seconds: number): Error =>
  failure(429, "TooManyRequests", message, {
    ...(seconds > 0 ? { retryAfterSeconds: seconds } : {}),
    causes: [{ reason: "DisruptionBudget", message: cause }],
  });

/** The budget after one disruption more, or the documented 429. */
function spend(budget: PodDisruptionBudget, podName: string, nowMs: number): PodDisruptionBudget {
  const name = budget.metadata?.name ?? "";
  const { generation = 0 } = budget.metadata ?? {};
  const { status } = budget;
  const cannot = "Cannot evict pod as it would violate the pod's disruption budget.";
  if ((status?.observedGeneration ?? 0) < generation)
    throw tooMany(
      cannot,
      `The disruption budget ${name} is still being processed by the server.`,
      retryAfterSeconds,
    );
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  if (disruptionsAllowed < 0)
    throw failure(403, "Forbidden", `pdb "${name}" is forbidden: pdb disruptions allowed is negative`);
  if (Object.keys(status?.disruptedPods ?? {}).length > disruptedPodsMax)
    throw failure(
      403,
      "Forbidden",
      `pdb "${name}" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller`,
    );
  if (disruptionsAllowed === 0)
    throw tooMany(
      cannot,
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      0,
    );
  const disruptedPods = { ...status?.disruptedPods, [podName]: timestamp(nowMs) };
  return {
    ...budget,
    status: { ...status, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods } as NonNullable<
      PodDisruptionBudget["status"]
    >,
  };
}

/** Whether a budget lets a pod go that runs but is not ready: always, or only while it has what it needs. */
function letsUnreadyGo({ spec, status }: DeepReadonly<PodDisruptionBudget>): boolean {
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

async function askBudget(context: ResourceContext, pod: DeepReadonly<Pod>, dryRun: boolean): Promise<void> {
  const { server, info } = context;
  const definition = server.registry.find("policy", "v1", "poddisruptionbudgets");
  if (definition === undefined) return;
  await retrying(
    async () => {
      await server.caches.waitForNewest();
      const budgets = budgetsFor(context, definition, pod);
      if (budgets.length > 1)
        throw internalError(
          "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        );
      const [budget] = budgets;
      if (budget === undefined) return;
      if (!isReady(pod) && letsUnreadyGo(budget.object as PodDisruptionBudget)) return;
      const next = spend(budget.draft<PodDisruptionBudget>(), info.name, server.clock.now());
      await commitUpdate({ ...context, definition }, next, budget, dryRun);
    },
    { conflicts: true },
  );
}

/** Says in the pod's status why it goes, for whoever looks at what became of it (a Job's pod failure policy). */
async function mark(context: ResourceContext, uid: string | undefined): Promise<void> {
  await retrying(
    async () => {
      const old = await current(context, namespaceOf(context), context.info.name);
      const pod = old.draft<Pod>();
      const isOther = uid !== undefined && uid !== pod.metadata?.uid;
      const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
      const before = pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
      if (isOther || pod.metadata?.deletionTimestamp !== undefined || before?.status === "True") return;
      const lastTransitionTime = timestamp(context.server.clock.now());
      conditions.push({
        type: "DisruptionTarget",
        status: "True",
        lastTransitionTime,
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
      });
      pod.status = { ...pod.status, conditions };
      await commitUpdate(context, pod, old, false);
    },
    { conflicts: true },
  );
}

export async function eviction(context: ResourceContext): Promise<ApiResponse> {
  const { info } = context;
  if (info.verb !== "create") throw methodNotAllowed();
  const options = writeOptions(context);
  const given = (await decodeKind(context.request, evictionKind, {
    ...options,
    warn: (message) => context.warn(message),
  })) as Eviction;
  if (given.metadata?.name && given.metadata.name !== info.name)
    throw badRequest("name in URL does not match name in Eviction object");
  const wanted = given.deleteOptions ?? {};
  const dryRun = options.dryRun || (wanted.dryRun ?? []).includes("All");
  const pod = (await current(context, namespaceOf(context), info.name)).object as DeepReadonly<Pod>;
  if (!needsNoBudget(pod)) await askBudget(context, pod, dryRun);
  const { uid, resourceVersion } = wanted.preconditions ?? {};
  // Of a pod that must be as it was, the mark would make another one.
  if (!dryRun && resourceVersion === undefined) await mark(context, uid ?? undefined);
  const { apiVersion: _a, kind: _k, ...deletion } = wanted;
  await deleteWith(context, { ...deletion, dryRun: dryRun ? ["All"] : [] });
  const form = formFor(context, { protobuf: true, views: false });
  return objectAnswer(201, { ...successStatus(undefined), code: 201 }, form);
}
