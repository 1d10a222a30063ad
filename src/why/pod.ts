// Why one pod does not run, or is not ready: the first thing that holds it back, in the order in which a pod passes them.
// Pure.

import type { ContainerStatus, Event, Pod } from "#machinery/gen/types/core-v1.ts";
import type { Evidence, Finding } from "./evidence.ts";

const nameOf = (pod: Pod): string => `pod/${pod.metadata?.name ?? ""}`;

type Said = Omit<Finding, "about">;
const said = (cause: string, next: string, ...details: string[]): Said => ({ cause, next, details });

/** The newest event of these reasons about the pod. */
function eventOf(pod: Pod, { events }: Evidence, ...reasons: readonly string[]): Event | undefined {
  return events
    .filter(
      ({ involvedObject, reason = "" }) =>
        involvedObject?.name === pod.metadata?.name && reasons.includes(reason),
    )
    .toSorted((a, b) => ((a.lastTimestamp ?? "") < (b.lastTimestamp ?? "") ? 1 : -1))[0];
}

const conditionOf = (pod: Pod, type: string) => pod.status?.conditions?.find((one) => one.type === type);

/** What helps against a reason of the scheduler's; the first that fits. */
const remedies: readonly (readonly [pattern: RegExp, next: string])[] = [
  [/Insufficient (\S+)/, "ask for less of it (resources.requests), free some, or add a node"],
  [/Too many pods/, "add a node, or raise the nodes' limit of pods"],
  [/untolerated taint/, "add a toleration, or take the taint off: kubectl describe nodes | grep Taints"],
  [/were unschedulable/, "kubectl uncordon the node"],
  [
    /node affinity\/selector/,
    "compare the pod's nodeSelector and nodeAffinity with: kubectl get nodes --show-labels",
  ],
  [/free ports/, "another pod holds the hostPort: use another one, or none"],
  [/topology spread/, "more domains have to have room, or the constraint has to allow more skew"],
  [/anti-affinity/, "its own or another pod's anti-affinity keeps it away: more nodes, or a softer rule"],
  [/affinity rules/, "no pod that its podAffinity asks for is there"],
  [/PersistentVolumeClaim|unbound/, "kubectl describe its PersistentVolumeClaims"],
];

function unschedulable(message: string): Said {
  const [, nodes = ""] = /^0\/(\d+) nodes are available/.exec(message) ?? [];
  if (nodes === "")
    return said("no node takes it", "add a node: kubectl get nodes shows those that there are", message);
  const reasons = (message.split(/nodes are available: /)[1] ?? "")
    .replace(/\. (no new claims|preemption:).*$/s, "")
    .replace(/\.$/, "");
  const next =
    remedies.find(([pattern]) => pattern.test(reasons))?.[1] ?? "read the reasons above, node by node";
  const lines = reasons.split(/, (?=\d+ )/).map((reason) => {
    const [, count, why] = /^(\d+) (.*)$/.exec(reason) ?? ["", "", reason];
    return `${count} of ${nodes} nodes: ${why}`;
  });
  return said(`no node takes it: ${reasons}`, next, ...lines);
}

function notPlaced(pod: Pod): Said | undefined {
  const gates = pod.spec?.schedulingGates ?? [];
  if (gates.length > 0)
    return said(
      `its scheduling gates hold it back: ${gates.map(({ name }) => name).join(", ")}`,
      "whoever set the gates takes them off when the pod may start",
    );
  if ((pod.spec?.nodeName ?? "") !== "") return undefined;
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.reason === "Unschedulable") return unschedulable(scheduled.message ?? "");
  const scheduler = pod.spec?.schedulerName ?? "default-scheduler";
  return scheduler === "default-scheduler"
    ? said("the scheduler has not looked at it yet", "ask again; if this stays, the scheduler does not run")
    : said(`it waits for the scheduler "${scheduler}"`, "start that scheduler, or leave schedulerName out");
}

function badNode(pod: Pod, { nodes }: Evidence): Said | undefined {
  const name = pod.spec?.nodeName ?? "";
  const node = nodes.find(({ metadata }) => metadata?.name === name);
  if (node === undefined)
    return said(`its node ${name} is not there`, "delete the pod: its owner makes another one elsewhere");
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return undefined;
  return said(
    `its node ${name} is not ready: ${ready?.message ?? "it says nothing"}`,
    `kubectl describe node ${name}`,
  );
}

const imageReasons = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
]);
const createReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

function endOf({ lastState, state }: ContainerStatus): string {
  const ended = lastState?.terminated ?? state?.terminated;
  if (ended === undefined) return "it ends";
  if (ended.reason === "OOMKilled") return "it needed more memory than its limit (OOMKilled)";
  const words = ended.message?.trim().split("\n").at(-1);
  const code = ended.signal ? `signal ${ended.signal}` : `exit code ${ended.exitCode}`;
  return `it ends with ${code}${words ? `: ${words}` : ""}`;
}

function waitingContainer(
  pod: Pod,
  status: ContainerStatus,
  kind: string,
  evidence: Evidence,
): Said | undefined {
  const { reason = "", message = "" } = status.state?.waiting ?? {};
  const what = `${kind} "${status.name}"`;
  const logs = `kubectl logs ${pod.metadata?.name} -c ${status.name} --previous`;
  if (imageReasons.has(reason)) {
    const told = eventOf(pod, evidence, "Failed", "ErrImageNeverPull", "InspectFailed")?.message ?? message;
    return said(
      `the image "${status.image}" of ${what} cannot be had (${reason})`,
      "check its name and tag, that the registry has it, and imagePullSecrets",
      told,
    );
  }
  if (createReasons.has(reason))
    return said(
      `${what} cannot be made: ${message}`,
      "what it refers to (ConfigMap, Secret, key, command) has to be there",
    );
  if (reason !== "CrashLoopBackOff") return undefined;
  const unhealthy = eventOf(pod, evidence, "Unhealthy")?.message ?? "";
  const isKilled = /^(Liveness|Startup) probe failed/.test(unhealthy);
  if (isKilled)
    return said(
      `${what} is started again and again: ${unhealthy}`,
      "make the probe fit what the container does, or give it more time",
      endOf(status),
    );
  const isOom = status.lastState?.terminated?.reason === "OOMKilled";
  return said(
    `${what} is started again and again: ${endOf(status)}`,
    isOom ? "raise resources.limits.memory, or find what takes it" : logs,
    `restarts: ${status.restartCount}`,
  );
}

function waitingContainers(pod: Pod, evidence: Evidence): Said | undefined {
  const groups = [
    ["init container", pod.status?.initContainerStatuses],
    ["container", pod.status?.containerStatuses],
  ] as const;
  for (const [kind, statuses = []] of groups)
    for (const status of statuses) {
      const found = waitingContainer(pod, status, kind, evidence);
      if (found !== undefined) return found;
    }
  return undefined;
}

function starting(pod: Pod, evidence: Evidence): Said | undefined {
  const mount = eventOf(pod, evidence, "FailedMount", "FailedAttachVolume");
  if (mount !== undefined)
    return said(
      `a volume cannot be mounted: ${mount.message ?? ""}`,
      "the ConfigMap, Secret or claim that the volume names has to be there",
    );
  const sandbox = eventOf(pod, evidence, "FailedCreatePodSandBox");
  if (sandbox !== undefined)
    return said(
      `its sandbox cannot be made: ${sandbox.message ?? ""}`,
      "look at the node: runtime, network, RuntimeClass",
    );
  const init = (pod.status?.initContainerStatuses ?? []).find(({ state }) => state?.running !== undefined);
  if (init !== undefined)
    return said(
      `its init container "${init.name}" still runs`,
      `kubectl logs ${pod.metadata?.name} -c ${init.name}`,
    );
  return undefined;
}

function notReady(pod: Pod, evidence: Evidence): Said | undefined {
  const gate = (pod.spec?.readinessGates ?? []).find(
    ({ conditionType }) => conditionOf(pod, conditionType)?.status !== "True",
  );
  const waiting = (pod.status?.containerStatuses ?? []).find(({ ready }) => !ready);
  const unhealthy = eventOf(pod, evidence, "Unhealthy");
  if (waiting !== undefined && unhealthy !== undefined)
    return said(
      `container "${waiting.name}" runs and is not ready: ${unhealthy.message ?? ""}`,
      "make the probe and what the container serves fit each other",
    );
  if (waiting !== undefined)
    return said(
      `container "${waiting.name}" runs and has not been found ready yet`,
      "wait for its probe, or look at its readinessProbe",
    );
  if (gate !== undefined)
    return said(
      `its readiness gate ${gate.conditionType} is not True`,
      "whoever owns that condition sets it",
    );
  return undefined;
}

function ended(pod: Pod): Said | undefined {
  const { phase, reason, message } = pod.status ?? {};
  if (phase === "Succeeded") return said("it has done its work, and ended", "nothing: this is no fault");
  if (phase !== "Failed") return undefined;
  if (reason !== undefined)
    return said(
      `it was ended: ${reason}${message ? `: ${message}` : ""}`,
      "its owner makes another one, if it has one",
    );
  const failed = (pod.status?.containerStatuses ?? []).find(
    ({ state }) => (state?.terminated?.exitCode ?? 0) !== 0,
  );
  return said(
    failed === undefined ? "it has failed" : `container "${failed.name}": ${endOf(failed)}`,
    `kubectl logs ${pod.metadata?.name}`,
  );
}

function leaving(pod: Pod, { nodes }: Evidence): Said | undefined {
  const { deletionTimestamp, finalizers = [] } = pod.metadata ?? {};
  if (deletionTimestamp === undefined) return undefined;
  const node = nodes.find(({ metadata }) => metadata?.name === pod.spec?.nodeName);
  const isLost =
    node !== undefined &&
    node.status?.conditions?.some(({ type, status }) => type === "Ready" && status !== "True");
  if (isLost)
    return said(
      `it is being deleted, and its node ${node.metadata?.name} does not answer`,
      "bring the node back, or: kubectl delete pod --force",
    );
  if (finalizers.length > 0)
    return said(
      `it is being deleted, and waits for its finalizers: ${finalizers.join(", ")}`,
      "whoever set them takes them off",
    );
  return said("it is being deleted, and may take its grace period", "wait");
}

/** Undefined when the pod runs and is ready. */
export function explainPod(pod: Pod, evidence: Evidence): Finding | undefined {
  const found =
    leaving(pod, evidence) ??
    ended(pod) ??
    notPlaced(pod) ??
    badNode(pod, evidence) ??
    waitingContainers(pod, evidence) ??
    (pod.status?.phase === "Pending" ? starting(pod, evidence) : undefined) ??
    notReady(pod, evidence);
  if (found !== undefined) return { about: nameOf(pod), ...found };
  if (conditionOf(pod, "Ready")?.status === "True") return undefined;
  return { about: nameOf(pod), ...said("its node is about to start it", "ask again in a moment") };
}
