// The heart of the kubelet: from what a pod should be and what the runtime shows to the next actions.
// Running the actions and planning again always leads closer to the goal; a plan for a settled pod is empty.

import { decideRestart, formatDelay } from "./crash-backoff.ts";
import {
  containerHash,
  isAlive,
  newestByName,
  nextAttempt,
  podTitle,
  restartsAfter,
  specContainers,
  specGraceSeconds,
  type SpecContainer,
} from "./containers.ts";
import type {
  ObservedContainer,
  ObservedPod,
  ObservedSandbox,
  PodAction,
  PodFailure,
  PodMemory,
  PodPlan,
  ReadonlyPod,
  Waiting,
} from "./model.ts";
import { isStarted } from "./readiness.ts";

interface Draft {
  readonly pod: ReadonlyPod;
  readonly observed: ObservedPod;
  readonly memory: PodMemory;
  readonly nowMs: number;
  readonly actions: PodAction[];
  readonly waiting: Map<string, Waiting>;
  wakeAtMs: number | undefined;
}

function wakeAt(draft: Draft, atMs: number): void {
  draft.wakeAtMs = Math.min(draft.wakeAtMs ?? Infinity, atMs);
}

const kill = (
  container: ObservedContainer,
  message: string,
  graceSeconds: number,
): PodAction & { type: "killContainer" } => ({
  type: "killContainer",
  id: container.id,
  name: container.name,
  message,
  graceSeconds,
});

/** A pod past its activeDeadlineSeconds ends here. */
function deadlineFailure(draft: Draft): PodFailure | undefined {
  const { pod, nowMs } = draft;
  const seconds = pod.spec?.activeDeadlineSeconds;
  const start = pod.status?.startTime;
  if (seconds === undefined || start === undefined) return undefined;
  const deadlineMs = Date.parse(start) + seconds * 1000;
  if (nowMs < deadlineMs) {
    wakeAt(draft, deadlineMs);
    return undefined;
  }
  return {
    reason: "DeadlineExceeded",
    message: "Pod was active on the node longer than the specified deadline",
  };
}

/** Seconds that each container gets, once the pod as a whole ends. */
export function terminationGraceSeconds(pod: ReadonlyPod): number {
  const asked = pod.metadata?.deletionGracePeriodSeconds ?? specGraceSeconds(pod);
  return Math.max(1, asked);
}

function isTerminalPhase(pod: ReadonlyPod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

export function planPod(pod: ReadonlyPod, observed: ObservedPod, memory: PodMemory, nowMs: number): PodPlan {
  const draft: Draft = {
    pod,
    observed,
    memory,
    nowMs,
    actions: [],
    waiting: new Map(),
    wakeAtMs: undefined,
  };
  const deleting = memory.removed || pod.metadata?.deletionTimestamp !== undefined;
  const failure = memory.failure ?? (deleting || isTerminalPhase(pod) ? undefined : deadlineFailure(draft));
  const terminating = deleting || failure !== undefined || isTerminalPhase(pod);
  const terminated = terminating ? planTermination(draft, deleting) : (planRunning(draft), false);
  if (!deleting) planGarbage(draft);
  return {
    actions: draft.actions,
    waiting: draft.waiting,
    wakeAtMs: draft.wakeAtMs,
    failure,
    terminating,
    terminated,
  };
}

/** Ends containers (sidecars after the others, last first), then the sandbox. True when no container is alive. */
function planTermination(draft: Draft, deleting: boolean): boolean {
  const { pod, observed, actions } = draft;
  const grace = terminationGraceSeconds(pod);
  const alive = observed.containers.filter(isAlive);
  if (alive.length > 0) {
    for (const container of nextToEnd(pod, alive))
      actions.push(kill(container, `Stopping container ${container.name}`, grace));
    return false;
  }
  const ready = observed.sandboxes.filter((sandbox) => sandbox.ready);
  for (const { id } of ready) actions.push({ type: "stopSandbox", id, changed: false });
  if (deleting && ready.length === 0) {
    for (const { id } of observed.sandboxes) actions.push({ type: "removeSandbox", id });
    if (observed.sandboxes.length === 0) {
      for (const { id } of observed.containers) actions.push({ type: "removeContainer", id });
      if (observed.containers.length === 0) actions.push({ type: "finish" });
    }
  }
  return true;
}

/** All ordinary containers at once; when they are gone, sidecars one by one, in reverse order. */
function nextToEnd(pod: ReadonlyPod, alive: readonly ObservedContainer[]): readonly ObservedContainer[] {
  const sidecars = specContainers(pod)
    .filter(({ kind }) => kind === "sidecar")
    .map(({ container }) => container.name);
  const others = alive.filter(({ name }) => !sidecars.includes(name));
  if (others.length > 0) return others;
  const last = sidecars.findLast((name) => alive.some((container) => container.name === name));
  return alive.filter(({ name }) => name === last);
}

function planRunning(draft: Draft): void {
  const { observed } = draft;
  const sandbox = observed.sandboxes[0];
  if (sandbox === undefined || !sandbox.ready) {
    planSandbox(draft, sandbox);
    return;
  }
  // Older sandboxes that still run are leftovers of an interrupted change.
  for (const old of observed.sandboxes.slice(1))
    if (old.ready) draft.actions.push({ type: "stopSandbox", id: old.id, changed: false });
  const inside = observed.containers.filter((container) => container.sandboxId === sandbox.id);
  planContainers(draft, newestByName(inside));
}

/** There is no usable sandbox: make one, unless nothing is left to run. */
function planSandbox(draft: Draft, old: ObservedSandbox | undefined): void {
  const { pod, observed, actions, memory, nowMs } = draft;
  const alive = observed.containers.filter(isAlive);
  if (old !== undefined && alive.length > 0) {
    actions.push({ type: "stopSandbox", id: old.id, changed: true });
    return;
  }
  const newest = newestByName(observed.containers);
  const wanted = specContainers(pod).some((spec) => {
    if (spec.kind !== "app") return false;
    const last = newest.get(spec.container.name);
    return last === undefined || last.state !== "exited" || restartsAfter(pod, spec, last.exitCode);
  });
  const initFailed = initFailedForGood(pod, newest);
  if (!wanted || initFailed) return;
  if (nowMs < memory.sandboxRetryAtMs) {
    wakeAt(draft, memory.sandboxRetryAtMs);
    return;
  }
  actions.push({ type: "createSandbox", attempt: old === undefined ? 0 : old.attempt + 1 });
}

function initFailedForGood(pod: ReadonlyPod, newest: ReadonlyMap<string, ObservedContainer>): boolean {
  return specContainers(pod).some((spec) => {
    if (spec.kind !== "init") return false;
    const last = newest.get(spec.container.name);
    return last?.state === "exited" && last.exitCode !== 0 && !restartsAfter(pod, spec, last.exitCode);
  });
}

function planContainers(draft: Draft, newest: ReadonlyMap<string, ObservedContainer>): void {
  const { pod } = draft;
  const specs = specContainers(pod);
  for (const spec of specs)
    if (spec.kind === "ephemeral" && !newest.has(spec.container.name)) start(draft, spec, undefined);
  // App containers only ever start after initialization: one that exists proves that it is over.
  const initialized = specs.some(({ kind, container }) => kind === "app" && newest.has(container.name));
  if (!planInit(draft, newest, initialized)) return;

  let left = 0;
  for (const spec of specs) {
    if (spec.kind !== "app") continue;
    if (planContainer(draft, spec, newest.get(spec.container.name))) left += 1;
  }
  if (left === 0) endCompleted(draft, newest);
}

/** Starts init containers in their order. True when app containers may run. */
function planInit(
  draft: Draft,
  newest: ReadonlyMap<string, ObservedContainer>,
  initialized: boolean,
): boolean {
  const { pod, memory } = draft;
  for (const spec of specContainers(pod)) {
    const last = newest.get(spec.container.name);
    if (spec.kind === "sidecar") {
      planContainer(draft, spec, last);
      if (!initialized && (last?.state !== "running" || !isStarted(spec.container, last, memory)))
        return false;
    } else if (spec.kind === "init" && !initialized) {
      if (last?.state === "exited" && last.exitCode === 0) continue;
      if (last?.state === "exited" && !restartsAfter(pod, spec, last.exitCode)) {
        endCompleted(draft, newest);
        return false;
      }
      planContainer(draft, spec, last);
      return false;
    }
  }
  return true;
}

/** Nothing will run again: sidecars end in reverse order, then the sandbox. */
function endCompleted(draft: Draft, newest: ReadonlyMap<string, ObservedContainer>): void {
  const { pod, observed, actions } = draft;
  const starts = actions.findIndex(({ type }) => type === "startContainer");
  if (starts >= 0) actions.splice(starts);
  const alive = [...newest.values()].filter(isAlive);
  if (alive.length > 0) {
    for (const container of nextToEnd(pod, alive))
      actions.push(kill(container, `Stopping container ${container.name}`, specGraceSeconds(pod)));
    return;
  }
  const sandbox = observed.sandboxes[0];
  if (sandbox?.ready) actions.push({ type: "stopSandbox", id: sandbox.id, changed: false });
}

/** Why a running container must end and start again, with the seconds it gets. */
function killReason(
  draft: Draft,
  { container }: SpecContainer,
  running: ObservedContainer,
): { message: string; graceSeconds: number } | undefined {
  const { pod, memory } = draft;
  const name = container.name;
  const ordinary = specGraceSeconds(pod);
  if (running.hash !== "" && running.hash !== containerHash(container))
    return { message: `Container ${name} definition changed, will be restarted`, graceSeconds: ordinary };
  const probes = memory.probes.get(running.id);
  if (probes?.startup === false && container.startupProbe !== undefined) {
    return {
      message: `Container ${name} failed startup probe, will be restarted`,
      graceSeconds: container.startupProbe.terminationGracePeriodSeconds ?? ordinary,
    };
  }
  if (probes?.liveness === false && container.livenessProbe !== undefined) {
    return {
      message: `Container ${name} failed liveness probe, will be restarted`,
      graceSeconds: container.livenessProbe.terminationGracePeriodSeconds ?? ordinary,
    };
  }
  if (memory.postStart.get(running.id) === "failed")
    return { message: "FailedPostStartHook", graceSeconds: ordinary };
  return undefined;
}

/** One container: keep, kill, start, or wait. True when it runs or will run. */
function planContainer(draft: Draft, spec: SpecContainer, last: ObservedContainer | undefined): boolean {
  const { pod, nowMs, memory } = draft;
  const name = spec.container.name;
  switch (last?.state) {
    case undefined:
    case "created":
      start(draft, spec, undefined);
      return true;
    case "unknown":
      draft.actions.push(
        kill(last, `Container ${name} is in unknown state, try killing it before restart`, 1),
      );
      return true;
    case "running": {
      const reason = killReason(draft, spec, last);
      if (reason !== undefined) draft.actions.push(kill(last, reason.message, reason.graceSeconds));
      return true;
    }
    case "exited": {
      if (!restartsAfter(pod, spec, last.exitCode)) return false;
      const decision = decideRestart(memory.backoff.get(name), last.finishedAtMs, nowMs);
      if (decision.start) {
        start(draft, spec, decision.backoff);
      } else {
        wakeAt(draft, decision.atMs);
        draft.waiting.set(name, {
          reason: "CrashLoopBackOff",
          message: `back-off ${formatDelay(decision.delayMs)} restarting failed container=${name} pod=${podTitle(pod)}`,
        });
      }
      return true;
    }
  }
}

function start(
  draft: Draft,
  { kind, container }: SpecContainer,
  backoff: (PodAction & { type: "startContainer" })["backoff"],
): void {
  const { memory, nowMs, actions } = draft;
  const { name } = container;
  if (memory.pulling.has(name)) return;
  // A postStart hook holds back the containers after its own.
  if ([...memory.postStart.values()].includes("running")) return;
  const retryAtMs = memory.retryAtMs.get(name) ?? 0;
  if (nowMs < retryAtMs) {
    wakeAt(draft, retryAtMs);
    return;
  }
  actions.push({
    type: "startContainer",
    name,
    kind,
    attempt: nextAttempt(draft.pod, draft.observed, name),
    backoff,
  });
}

/** Keeps the newest container of each name and the newest ended one before it, for its logs and last state. */
function planGarbage({ observed, actions }: Draft): void {
  const newest = new Set<string>();
  const previous = new Set<string>();
  const used = new Set<string>();
  for (const container of observed.containers) {
    const { id, name, sandboxId } = container;
    const keep = !newest.has(name) || isAlive(container) || !previous.has(name);
    if (newest.has(name)) previous.add(name);
    newest.add(name);
    if (keep) used.add(sandboxId);
    else actions.push({ type: "removeContainer", id });
  }
  for (const old of observed.sandboxes.slice(1))
    if (!old.ready && !used.has(old.id)) actions.push({ type: "removeSandbox", id: old.id });
}
