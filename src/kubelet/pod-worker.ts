// One pod's life on this node. Everything about the pod happens here, one step at a time: look at the runtime,
// plan, write the status, act, look again. Pulls, hooks and the ending of containers run beside it and wake it.

import { Backoff } from "#base/backoff.ts";
import { toError } from "#base/assert.ts";
import type { Timer } from "#base/clock.ts";
import { spread } from "#base/random.ts";
import { isUnavailable } from "#cri/errors.ts";
import type { PodStatus } from "#machinery/gen/types/core-v1.ts";
import { ContainerKiller } from "./container-killer.ts";
import { startContainer } from "./container-starter.ts";
import {
  endLookMsMax,
  endLookMsMin,
  endLooksMax,
  endLooksUnknownMax,
  podRetry,
  volumeRefreshMs,
} from "./limits.ts";
import type { NodeContext } from "./node-context.ts";
import { findContainer } from "./plan/containers.ts";
import type { NodeFacts } from "./plan/field-ref.ts";
import {
  nothingObserved,
  type CrashBackoff,
  type ObservedPod,
  type PodAction,
  type PodFailure,
  type PodMemory,
  type PodPlan,
  type ProbeResults,
  type ReadonlyPod,
  type Waiting,
} from "./plan/model.ts";
import { planPod } from "./plan/pod-sync.ts";
import { sandboxConfig } from "./plan/sandbox-config.ts";
import { planStatus } from "./plan/status.ts";
import { finishPod } from "./pod-cleanup.ts";
import { containerReference, podReference } from "./pod-ref.ts";
import { Prober } from "./prober.ts";
import { PodView } from "./runtime-view.ts";
import type { MountedVolume } from "./volumes/volume-manager.ts";

/** The same as PodMemory, as the worker writes it. */
interface Memory extends PodMemory {
  readonly backoff: Map<string, CrashBackoff>;
  readonly waiting: Map<string, Waiting>;
  readonly retryAtMs: Map<string, number>;
  readonly pulling: Set<string>;
  readonly probes: Map<string, ProbeResults>;
  readonly postStart: Map<string, "running" | "done" | "failed">;
  failure: PodFailure | undefined;
  removed: boolean;
  sandboxRetryAtMs: number;
}

const newMemory = (): Memory => ({
  backoff: new Map(),
  waiting: new Map(),
  retryAtMs: new Map(),
  pulling: new Set(),
  probes: new Map(),
  postStart: new Map(),
  failure: undefined,
  removed: false,
  sandboxRetryAtMs: 0,
});

export class PodWorker {
  readonly uid: string;
  readonly view: PodView;
  readonly #context: NodeContext;
  readonly #memory = newMemory();
  readonly #prober: Prober;
  readonly #killer: ContainerKiller;
  readonly #failures = new Backoff(podRetry);
  readonly #onFinished: (worker: PodWorker) => void;
  #pod: ReadonlyPod;
  #status: PodStatus | undefined;
  #observed: ObservedPod = nothingObserved;
  #volumes: ReadonlyMap<string, MountedVolume> | undefined;
  #volumesAtMs = 0;
  #busy = false;
  #dirty = false;
  #finished = false;
  #timer: Timer | undefined;
  readonly #ends = new Map<string, number>();
  #seeded = false;

  constructor(context: NodeContext, pod: ReadonlyPod, onFinished: (worker: PodWorker) => void) {
    this.uid = pod.metadata?.uid ?? "";
    this.#context = context;
    this.#pod = pod;
    this.#onFinished = onFinished;
    this.view = new PodView(context.runtime, this.uid);
    this.#killer = new ContainerKiller(context, () => this.wake());
    this.#prober = new Prober({
      runtime: context.runtime,
      clock: context.clock,
      version: context.version,
      probe: context.probe,
      onResult: (id, type, ok) => {
        this.#memory.probes.set(id, { ...this.#memory.probes.get(id), [type]: ok });
        this.wake();
      },
      onUnhealthy: (name, message) =>
        context.recorder.event(containerReference(this.#pod, name), "Warning", "Unhealthy", message),
    });
  }

  get pod(): ReadonlyPod {
    return this.#pod;
  }

  /** The pod with the status that this node gave it last. */
  get current(): ReadonlyPod {
    return this.#overlaid();
  }

  get observed(): ObservedPod {
    return this.#observed;
  }

  /** In the middle of a step. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The API has a newer pod. */
  update(pod: ReadonlyPod): void {
    this.#pod = pod;
    this.wake();
  }

  /** The API has it no more. */
  remove(): void {
    this.#memory.removed = true;
    this.wake();
  }

  /** An event says that this container has ended; the runtime's own lists say so a little later. */
  noteEnd(id: string): void {
    this.#ends.set(id, 0);
    this.wake();
  }

  /** When to look again for ends that are announced and do not show yet. */
  #lookAgainMs(): number | undefined {
    let again: number | undefined;
    for (const [id, looks] of this.#ends) {
      const container = this.#observed.containers.find((known) => known.id === id);
      const sandbox = this.#observed.sandboxes.find((known) => known.id === id);
      const shows = container !== undefined ? container.state === "exited" : sandbox?.ready === false;
      // One that no list names is gone already, or was never of this pod.
      const unknown = container === undefined && sandbox === undefined;
      if (shows || looks >= (unknown ? endLooksUnknownMax : endLooksMax)) {
        this.#ends.delete(id);
      } else {
        this.#ends.set(id, looks + 1);
        again = Math.min(again ?? Infinity, Math.min(endLookMsMin * 2 ** looks, endLookMsMax));
      }
    }
    return again;
  }

  /** Something may have changed: plan again soon. */
  wake(): void {
    if (this.#finished || this.#context.signal.aborted) return;
    this.#dirty = true;
    if (this.#busy) return;
    this.#busy = true;
    void this.#run();
  }

  stop(): void {
    this.#finished = true;
    this.#timer?.cancel();
    this.#prober.stop();
  }

  async #run(): Promise<void> {
    const { clock, random, pace, log } = this.#context;
    try {
      while (this.#dirty && !this.#finished && !this.#context.signal.aborted) {
        this.#dirty = false;
        this.#timer?.cancel();
        try {
          const wakeAtMs = await this.#step();
          this.#failures.forget(this.uid);
          this.#wakeAfter(Math.min(spread(pace.resyncMs, random), (wakeAtMs ?? Infinity) - clock.now()));
        } catch (thrown) {
          const error = toError(thrown);
          const delay = this.#failures.next(this.uid, clock.now());
          const level = isUnavailable(error) ? "debug" : "warn";
          log[level]("a pod was not brought forward", { pod: this.#pod.metadata?.name, error, delay });
          this.#wakeAfter(delay);
        }
      }
    } finally {
      this.#busy = false;
    }
  }

  #wakeAfter(ms: number): void {
    this.#timer = this.#context.clock.after(Math.max(0, ms), () => this.wake());
  }

  /** One look and what follows from it. Actions make it dirty, so that another step looks again. */
  async #step(): Promise<number | undefined> {
    const { clock, recorder } = this.#context;
    this.#observed = await this.view.look();
    this.#seed();
    this.#forgetGone();
    const pod = this.#overlaid();
    const now = clock.now();
    const plan = planPod(pod, this.#observed, this.#memory, now);
    if (plan.failure !== undefined && this.#memory.failure === undefined) {
      this.#memory.failure = plan.failure;
      recorder.event(podReference(pod), "Normal", plan.failure.reason, plan.failure.message);
    }
    this.#noteCrashLoops(plan);
    this.#publish(pod, plan, now);
    this.#prober.sync(pod, this.#observed, this.#memory.probes, this.#podIp(), plan.terminating);
    await this.#refreshVolumes(plan);
    for (const action of plan.actions) {
      const goOn = await this.#act(pod, action);
      if (!goOn) break;
    }
    const again = this.#lookAgainMs();
    return again === undefined ? plan.wakeAtMs : Math.min(plan.wakeAtMs ?? Infinity, clock.now() + again);
  }

  /** The pod with the status that this worker gave it last, which the API may not show yet. */
  #overlaid(): ReadonlyPod {
    const own = this.#status;
    if (own === undefined) return this.#pod;
    const known = this.#pod.status?.conditions ?? [];
    const mine = own.conditions ?? [];
    const others = known.filter(({ type }) => !mine.some((condition) => condition.type === type));
    // An end that someone else wrote is an end.
    const { phase, reason, message } = this.#pod.status ?? {};
    const ended = phase === "Failed" || phase === "Succeeded" ? { phase, reason, message } : {};
    return {
      ...this.#pod,
      status: { ...this.#pod.status, ...own, ...ended, conditions: [...mine, ...others] },
    };
  }

  #publish(pod: ReadonlyPod, plan: PodPlan, now: number): void {
    const { statuses, hostIps } = this.#context;
    const input = { pod, observed: this.#observed, memory: this.#memory, nowMs: now, hostIps };
    this.#status = planStatus(input, plan);
    if (!this.#memory.removed) statuses.set(this.#pod, this.#status);
  }

  /** After a restart of the kubelet, containers that were ready and started stay so until a probe says otherwise. */
  #seed(): void {
    if (this.#seeded) return;
    this.#seeded = true;
    const { initContainerStatuses, containerStatuses } = this.#pod.status ?? {};
    for (const known of [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])]) {
      const id = known.containerID?.replace(/^containerd:\/\//, "") ?? "";
      const running = this.#observed.containers.find((container) => container.id === id);
      if (running?.state !== "running") continue;
      this.#memory.probes.set(id, {
        ...(known.started === true ? { startup: true } : {}),
        ...(known.ready ? { readiness: true } : {}),
      });
    }
  }

  #forgetGone(): void {
    const ids = new Set(this.#observed.containers.map(({ id }) => id));
    for (const map of [this.#memory.probes, this.#memory.postStart])
      for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
  }

  #noteCrashLoops(plan: PodPlan): void {
    for (const [name, { reason, message }] of plan.waiting) {
      const known = this.#memory.waiting.get(name);
      if (reason !== "CrashLoopBackOff" || known?.message === message) continue;
      this.#memory.waiting.set(name, { reason, ...(message === undefined ? {} : { message }) });
      this.#context.recorder.event(
        containerReference(this.#pod, name),
        "Warning",
        "BackOff",
        `Back-off restarting failed container ${name} in pod ${(message ?? "").split(" pod=")[1] ?? ""}`,
      );
    }
  }

  #podIp(): string {
    if (this.#pod.spec?.hostNetwork === true) return this.#context.hostIps[0] ?? "";
    return this.#observed.sandboxes[0]?.ips[0] ?? "";
  }

  #facts(): NodeFacts {
    const { nodeName, hostIps, allocatable } = this.#context;
    const ips = this.#pod.spec?.hostNetwork === true ? hostIps : (this.#observed.sandboxes[0]?.ips ?? []);
    return { nodeName, hostIps, podIps: ips, allocatable };
  }

  /** Mounted files follow their sources while the pod runs. */
  async #refreshVolumes(plan: PodPlan): Promise<void> {
    if (plan.terminating || !this.#observed.sandboxes.some(({ ready }) => ready)) return;
    const now = this.#context.clock.monotonic();
    if (this.#volumes !== undefined && now - this.#volumesAtMs < volumeRefreshMs) return;
    this.#volumesAtMs = now;
    const result = await this.#context.volumes.ensure(this.#pod, this.#facts(), false);
    if ("volumes" in result) this.#volumes = result.volumes;
    else if (this.#volumes === undefined) this.#mountFailed(result.problem.volume, result.problem.message);
    else
      this.#context.log.debug("a volume was not refreshed", {
        pod: this.#pod.metadata?.name,
        ...result.problem,
      });
  }

  #mountFailed(volume: string, message: string): void {
    this.#context.recorder.event(
      podReference(this.#pod),
      "Warning",
      "FailedMount",
      `MountVolume.SetUp failed for volume "${volume}" : ${message}`,
    );
  }

  /** False when the actions after this one must wait for another look. */
  async #act(pod: ReadonlyPod, action: PodAction): Promise<boolean> {
    const { runtime } = this.#context;
    switch (action.type) {
      case "createSandbox":
        await this.#createSandbox(pod, action.attempt);
        return false;
      case "stopSandbox":
        if (action.changed)
          this.#context.recorder.event(
            podReference(pod),
            "Normal",
            "SandboxChanged",
            "Pod sandbox changed, it will be killed and re-created.",
          );
        await runtime.stopPodSandbox(action.id);
        this.#dirty = true;
        return true;
      case "removeSandbox":
        await runtime.removePodSandbox(action.id);
        this.#dirty = true;
        return true;
      case "removeContainer":
        await runtime.removeContainer(action.id);
        this.#removeFiles(action.id);
        this.#dirty = true;
        return true;
      case "killContainer":
        this.#killer.kill(pod, this.#podIp(), action);
        return true;
      case "startContainer":
        return this.#start(pod, action);
      case "finish":
        await finishPod(this.#context, this.#pod, this.#memory.removed);
        this.stop();
        this.#onFinished(this);
        return false;
    }
  }

  #removeFiles(id: string): void {
    const container = this.#observed.containers.find((known) => known.id === id);
    if (container !== undefined) this.#context.files.removeContainer(this.#pod, container);
  }

  async #createSandbox(pod: ReadonlyPod, attempt: number): Promise<void> {
    const { runtime, clock, recorder, settings } = this.#context;
    const volumes = await this.#context.volumes.ensure(pod, this.#facts(), true);
    const retry = (): void => {
      const delay = this.#failures.next("sandbox", clock.now());
      this.#memory.sandboxRetryAtMs = clock.now() + delay;
      this.#dirty = true;
    };
    if ("problem" in volumes) {
      this.#mountFailed(volumes.problem.volume, volumes.problem.message);
      retry();
      return;
    }
    this.#volumes = volumes.volumes;
    this.#volumesAtMs = clock.monotonic();
    try {
      await runtime.runPodSandbox(sandboxConfig(pod, attempt, settings), pod.spec?.runtimeClassName ?? "");
      this.#failures.forget("sandbox");
    } catch (thrown) {
      const { message } = toError(thrown);
      recorder.event(
        podReference(pod),
        "Warning",
        "FailedCreatePodSandBox",
        `Failed to create pod sandbox: ${message}`,
      );
      retry();
    }
    this.#dirty = true;
  }

  async #start(pod: ReadonlyPod, action: PodAction & { type: "startContainer" }): Promise<boolean> {
    const { name, kind, attempt, backoff } = action;
    const spec = findContainer(pod, name);
    const sandbox = this.#observed.sandboxes[0];
    if (spec === undefined || sandbox === undefined) return false;
    const target = pod.spec?.ephemeralContainers?.find(
      (container) => container.name === name,
    )?.targetContainerName;
    const result = await startContainer(this.#context, {
      pod,
      container: spec.container,
      kind,
      attempt,
      sandbox,
      volumes: this.#volumes ?? new Map(),
      facts: this.#facts(),
      targetId: this.#observed.containers.find((container) => container.name === target)?.id,
      wake: () => {
        this.#memory.pulling.delete(name);
        this.wake();
      },
    });
    switch (result.state) {
      case "pulling":
        this.#memory.pulling.add(name);
        return true;
      case "waiting":
        // It was made and did not start: that counts as a crash.
        if (result.waiting.reason === "RunContainerError" && backoff !== undefined)
          this.#memory.backoff.set(name, backoff);
        this.#memory.waiting.set(name, result.waiting);
        this.#memory.retryAtMs.set(name, result.retryAtMs);
        this.#dirty = true;
        return true;
      case "started": {
        if (backoff !== undefined) this.#memory.backoff.set(name, backoff);
        this.#memory.waiting.delete(name);
        this.#memory.retryAtMs.delete(name);
        this.#dirty = true;
        const postStart = spec.container.lifecycle?.postStart;
        if (postStart === undefined) return true;
        this.#memory.postStart.set(result.id, "running");
        void this.#postStart(result.id, name);
        // The containers after it wait for the hook.
        return false;
      }
    }
  }

  async #postStart(containerId: string, name: string): Promise<void> {
    const { runtime, clock, recorder, version } = this.#context;
    const container = findContainer(this.#pod, name)?.container;
    const handler = container?.lifecycle?.postStart;
    if (container === undefined || handler === undefined) return;
    const podIp = this.#podIp();
    const failure = await this.#context.hook(handler, {
      runtime,
      clock,
      container,
      containerId,
      podIp,
      version,
    });
    this.#memory.postStart.set(containerId, failure === undefined ? "done" : "failed");
    if (failure !== undefined)
      recorder.event(
        containerReference(this.#pod, name),
        "Warning",
        "FailedPostStartHook",
        `PostStartHook failed: ${failure}`,
      );
    this.wake();
  }
}
