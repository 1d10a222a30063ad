// Objects that describe the server itself: its flow control levels and schemas, the API groups that it serves, and the
// range of its Services' addresses. What is missing is created at start; what is there stays as it is.

import { timestamp } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { APIServices, FlowSchemas, PriorityLevelConfigurations, ServiceCIDRs } from "#client/refs.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import {
  mandatoryLevels,
  mandatorySchemas,
  suggestedLevels,
  suggestedSchemas,
} from "#resources/flowcontrol/fixed.ts";

/** How the groups of this release stand to each other; a group that is not named here comes last. */
const groupPriorities: Readonly<Record<string, number>> = {
  "": 18_000,
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
  "resource.k8s.io": 15_900,
  "metrics.k8s.io": 100,
};
const otherPriority = 15_000;
/** Versions that stand before v1, or after it. */
const versionPriorities: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "metrics.k8s.io/v1beta1": 100,
};
const versionPriority = 15;

const autoUpdate = { "apf.kubernetes.io/autoupdate-spec": "true" };

function apiServices(definitions: readonly ResourceDefinition[]): KubeObject[] {
  const served = new Map(
    definitions.map(({ group, version }) => [`${version}.${group}`, { group, version }]),
  );
  // The registration itself is the work of whoever registers.
  served.delete("v1.apiregistration.k8s.io");
  return [...served].map(([name, { group, version }]) => ({
    metadata: { name, labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
    spec: {
      ...(group === "" ? {} : { group }),
      version,
      groupPriorityMinimum: groupPriorities[group] ?? otherPriority,
      versionPriority: versionPriorities[`${group}/${version}`] ?? versionPriority,
    },
  }));
}

const named = (specs: Readonly<Record<string, object>>): KubeObject[] =>
  Object.entries(specs).map(
    ([name, spec]) => ({ metadata: { name, annotations: autoUpdate }, spec }) as KubeObject,
  );

/** A status that says that all is well, for what this server looks after itself. */
const condition = (
  type: string,
  status: "True" | "False",
  reason: string,
  message: string,
  nowMs: number,
) => ({
  status: { conditions: [{ type, status, reason, message, lastTransitionTime: timestamp(nowMs) }] },
});

async function createMissing(
  client: Client,
  ref: ResourceRef,
  wanted: readonly KubeObject[],
  statusOf?: (object: KubeObject) => object,
): Promise<void> {
  const { items } = await client.list(ref);
  const present = new Set(items.map(({ metadata }) => metadata?.name));
  const missing = wanted.filter(({ metadata }) => !present.has(metadata?.name));
  await Promise.all(
    missing.map(async (object) => {
      const name = object.metadata?.name ?? "";
      try {
        await client.create(ref, "", object);
        if (statusOf !== undefined) await client.patch(ref, "", name, "merge", statusOf(object), "status");
      } catch (error) {
        // Another server of the same cluster does the same at the same time, or somebody took it away again.
        if (!isApiError(error, "AlreadyExists") && !isApiError(error, "NotFound")) throw error;
      }
    }),
  );
}

export async function ensureFixedObjects(
  client: Client,
  given: {
    readonly definitions: readonly ResourceDefinition[];
    readonly serviceRanges: readonly string[];
    readonly nowMs: number;
  },
): Promise<void> {
  const levelOf = (object: KubeObject): string =>
    (object as { spec?: { priorityLevelConfiguration?: { name?: string } } }).spec?.priorityLevelConfiguration
      ?.name ?? "";
  await Promise.all([
    createMissing(client, PriorityLevelConfigurations, named({ ...mandatoryLevels, ...suggestedLevels })),
    createMissing(client, FlowSchemas, named({ ...mandatorySchemas, ...suggestedSchemas }), (object) =>
      condition(
        "Dangling",
        "False",
        "Found",
        `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(levelOf(object))} and it exists`,
        given.nowMs,
      ),
    ),
    createMissing(client, APIServices, apiServices(given.definitions)),
    createMissing(
      client,
      ServiceCIDRs,
      [{ metadata: { name: "kubernetes" }, spec: { cidrs: [...given.serviceRanges] } } as KubeObject],
      () => condition("Ready", "True", "", "Kubernetes default Service CIDR is ready", given.nowMs),
    ),
  ]);
}
