// Why a workload or a Service is not what was asked for: what holds it back itself, then the pod that is worst off. Pure.

import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { matches, selectorFromMap } from "#machinery/selectors.ts";
import type { Evidence, Finding, Subject } from "./evidence.ts";
import { explainPod } from "./pod.ts";

const nameOf = ({ kind = "object", metadata }: Subject): string =>
  `${kind.toLowerCase()}/${metadata?.name ?? ""}`;

const conditionOf = ({ status }: Subject, type: string) =>
  status?.conditions?.find((one) => one.type === type);

/** What helps against a creation that was refused; the first that fits. */
const remedies: readonly (readonly [pattern: RegExp, next: string])[] = [
  [/exceeded quota/, "free some of the quota, or have it raised: kubectl describe quota"],
  [/must specify/, "the quota counts what the pods do not say: set resources, or a LimitRange with defaults"],
  [/admission webhook/, "the webhook that refuses says why; ask whoever runs it"],
  [/ValidatingAdmissionPolicy/, "the policy that refuses says why: kubectl get validatingadmissionpolicies"],
  [/serviceaccount|service account/i, "create the ServiceAccount that the template names"],
  [
    /(minimum|maximum) \S+ usage per/,
    "the namespace's LimitRange says what is allowed: kubectl describe limits",
  ],
  [/PriorityClass/, "create the PriorityClass that the template names"],
];

const remedy = (message: string): string =>
  remedies.find(([pattern]) => pattern.test(message))?.[1] ??
  "make the template such that the server takes its pods";

function refusedCreation({ subject, related, events }: Evidence): Omit<Finding, "about"> | undefined {
  const concerned = [subject, ...related];
  const failure = concerned
    .map((one) => conditionOf(one, "ReplicaFailure"))
    .find((one) => one?.status === "True");
  const names = new Set(concerned.map(({ metadata }) => metadata?.name));
  const event = events
    .filter(
      ({ reason, type, involvedObject }) =>
        reason === "FailedCreate" && type === "Warning" && names.has(involvedObject?.name),
    )
    .toSorted((a, b) => ((a.lastTimestamp ?? "") < (b.lastTimestamp ?? "") ? 1 : -1))[0];
  const message = failure?.message ?? event?.message?.replace(/^Error creating: /, "");
  if (message === undefined) return undefined;
  return { cause: `its pods are refused: ${message}`, details: [], next: remedy(message) };
}

function heldBack({ subject, pods }: Evidence): Omit<Finding, "about"> | undefined {
  const { spec = {} } = subject;
  if (subject.metadata?.deletionTimestamp !== undefined) {
    const finalizers = subject.metadata.finalizers ?? [];
    return {
      cause: `it is being deleted${finalizers.length > 0 ? `, and waits for its finalizers: ${finalizers.join(", ")}` : ""}`,
      details: [],
      next: "wait, or see who should take the finalizers off",
    };
  }
  if (spec.suspend === true)
    return { cause: "it is suspended", details: [], next: "set spec.suspend to false" };
  if (spec.replicas === 0)
    return {
      cause: "it is asked for no pods at all (spec.replicas is 0)",
      details: [],
      next: "kubectl scale it",
    };
  const failed = conditionOf(subject, "Failed");
  if (failed?.status === "True")
    return {
      cause: `it has failed: ${failed.reason}: ${failed.message ?? ""}`,
      details: [],
      next: "read the logs of its pods; a Job that has failed is made anew by hand",
    };
  if (spec.paused === true && pods.length === 0)
    return { cause: "it is paused", details: [], next: "kubectl rollout resume it" };
  if (subject.kind === "DaemonSet" && subject.status?.desiredNumberScheduled === 0)
    return {
      cause: "no node should run it",
      details: [],
      next: "compare its nodeSelector, affinity and tolerations with the nodes",
    };
  return undefined;
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;

function explainService({ service }: Evidence): Omit<Finding, "about"> | undefined {
  if (service === undefined) return undefined;
  const { object, candidates } = service;
  const selector = selectorFromMap(object.spec?.selector);
  const told = Object.entries(object.spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  if (selector.length === 0)
    return {
      cause: "it selects no pods: it has no selector",
      details: [],
      next: "give it one, or make its EndpointSlices by hand",
    };
  const pods = candidates.filter(({ metadata }) => matches(selector, metadata?.labels));
  if (pods.length === 0)
    return {
      cause: `no pod has the labels that it selects: ${told}`,
      details: [],
      next: "compare with: kubectl get pods --show-labels",
    };
  const named = (object.spec?.ports ?? []).find(
    ({ targetPort }) =>
      typeof targetPort === "string" &&
      !pods.some(({ spec }) =>
        spec?.containers.some(({ ports = [] }) => ports.some(({ name }) => name === targetPort)),
      ),
  );
  if (named !== undefined)
    return {
      cause: `no pod has a port named "${String(named.targetPort)}"`,
      details: [],
      next: "name the container's port so, or give the number",
    };
  if (!pods.some(isReady))
    return {
      cause: `none of its ${pods.length} pods is ready`,
      details: [],
      next: `leme why pod/${pods[0]?.metadata?.name}`,
    };
  return undefined;
}

/** Empty when all is as it was asked for. */
export function explain(evidence: Evidence): Finding[] {
  const { subject, pods } = evidence;
  const about = nameOf(subject);
  const own =
    explainService(evidence) ??
    (subject.kind === "Pod" ? undefined : (heldBack(evidence) ?? refusedCreation(evidence)));
  const findings: Finding[] = own === undefined ? [] : [{ about, ...own }];
  // Many pods of one workload suffer from the same: it is told once, with how many there are.
  const byCause = Map.groupBy(
    pods.flatMap((pod) => explainPod(pod, evidence) ?? []),
    ({ cause }) => cause,
  );
  for (const [, same] of [...byCause].toSorted(([, a], [, b]) => b.length - a.length)) {
    const [first] = same;
    if (first === undefined) continue;
    const more =
      same.length > 1 ? [...first.details, `and ${same.length - 1} more pods likewise`] : first.details;
    findings.push({ ...first, details: more });
  }
  return findings;
}

/** As it is printed. */
export function tell(evidence: Evidence, findings: readonly Finding[]): string {
  if (findings.length === 0) {
    const { subject, pods } = evidence;
    const ready = pods.filter(isReady).length;
    return `${nameOf(subject)}: nothing holds it back${pods.length > 0 ? `; ${ready} of ${pods.length} pods are ready` : ""}\n`;
  }
  return findings
    .map(({ about, cause, details, next }) => {
      const lines = details.filter((line) => line !== "" && !cause.endsWith(line)).map((line) => `  ${line}`);
      return [`${about}: ${cause}`, ...lines, `  → ${next}`].join("\n");
    })
    .map((text) => `${text}\n`)
    .join("\n");
}
