// The flags of `leme server` that say how controllers do what they do, named as kube-controller-manager names them.

import type { ControllerOptions } from "#controllers/index.ts";
import type { Command } from "commander";

type Field = Exclude<
  keyof ControllerOptions,
  "rootCa" | "tokenSigner" | "authority" | "storageMigrations" | "controllers"
>;

interface Flag {
  readonly name: string;
  readonly field: Field;
  readonly kind: "duration" | "number";
  readonly about: string;
}

const duration = (name: string, field: Field, about: string): Flag => ({
  name,
  field,
  kind: "duration",
  about,
});
const number = (name: string, field: Field, about: string): Flag => ({ name, field, kind: "number", about });

const flags: readonly Flag[] = [
  duration("node-monitor-period", "nodeMonitorPeriodMs", "how often nodes are looked at (default 5s)"),
  duration(
    "node-monitor-grace-period",
    "nodeMonitorGracePeriodMs",
    "a node that is silent for longer is Unknown (default 50s)",
  ),
  duration(
    "node-startup-grace-period",
    "nodeStartupGracePeriodMs",
    "the same for nodes that never told anything (default 1m)",
  ),
  number(
    "node-eviction-rate",
    "nodeEvictionRate",
    "nodes per second whose pods are evicted, in a zone (default 0.1)",
  ),
  number(
    "secondary-node-eviction-rate",
    "secondaryNodeEvictionRate",
    "the same in a zone in trouble (default 0.01)",
  ),
  number(
    "unhealthy-zone-threshold",
    "unhealthyZoneThreshold",
    "share of nodes not ready at which a zone is in trouble (default 0.55)",
  ),
  number(
    "large-cluster-size-threshold",
    "largeClusterSizeThreshold",
    "nodes at which a zone in trouble still evicts (default 50)",
  ),
  number(
    "terminated-pod-gc-threshold",
    "terminatedPodGcThreshold",
    "finished pods that are kept (default 12500)",
  ),
  duration(
    "legacy-service-account-token-clean-up-period",
    "legacyTokenCleanUpPeriodMs",
    "how long a generated token may be unused (default 8760h)",
  ),
  duration(
    "resource-quota-sync-period",
    "resourceQuotaSyncPeriodMs",
    "how often quotas are counted anew (default 5m)",
  ),
  duration(
    "horizontal-pod-autoscaler-sync-period",
    "autoscalerSyncPeriodMs",
    "how often autoscalers look (default 15s)",
  ),
  duration(
    "horizontal-pod-autoscaler-downscale-stabilization",
    "autoscalerDownscaleStabilizationMs",
    "how long autoscalers wait before they scale down (default 5m)",
  ),
  number(
    "horizontal-pod-autoscaler-tolerance",
    "autoscalerTolerance",
    "share that a metric may be off its target (default 0.1)",
  ),
  duration(
    "horizontal-pod-autoscaler-cpu-initialization-period",
    "autoscalerCpuInitializationPeriodMs",
    "how long after its start a pod's CPU may not count (default 5m)",
  ),
  duration(
    "horizontal-pod-autoscaler-initial-readiness-delay",
    "autoscalerInitialReadinessDelayMs",
    "how long after its start a pod counts as starting (default 30s)",
  ),
];

const camel = (name: string): string =>
  name.replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase());

export function addControllerFlags(command: Command): Command {
  for (const { name, kind, about } of flags) command.option(`--${name} <${kind}>`, about);
  return command;
}

export function controllerOptions(
  given: Readonly<Record<string, unknown>>,
  parseDuration: (text: string, flag: string) => number,
): Partial<ControllerOptions> {
  const options: Partial<Record<Field, number>> = {};
  for (const { name, field, kind } of flags) {
    const text = given[camel(name)];
    if (typeof text !== "string") continue;
    if (kind === "duration") options[field] = parseDuration(text, name);
    else {
      const value = Number(text);
      if (text.trim() === "" || !(value >= 0))
        throw new Error(`--${name} takes a number, not ${JSON.stringify(text)}`);
      options[field] = value;
    }
  }
  return options as Partial<ControllerOptions>;
}
