// Runs the probes of one pod's running containers, each on its own clock, and tells the pod's worker when a
// result changes. What an answer means is decided in plan/probes.ts.

import type { Clock, Timer } from "#base/clock.ts";
import { toError } from "#base/assert.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import type { Probe } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { specContainers } from "./plan/containers.ts";
import type {
  ObservedContainer,
  ObservedPod,
  ProbeResults,
  ReadonlyContainer,
  ReadonlyPod,
} from "./plan/model.ts";
import {
  firstProbeAtMs,
  initialProbeState,
  probePeriodMs,
  probeStep,
  probeTitle,
  type ProbeState,
  type ProbeType,
} from "./plan/probes.ts";
import type { probeOnce } from "./probe-once.ts";

export interface ProberDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly version: string;
  readonly probe: typeof probeOnce;
  /** A container's result changed. */
  onResult(containerId: string, type: ProbeType, ok: boolean): void;
  onUnhealthy(containerName: string, message: string): void;
}

interface Loop {
  readonly containerId: string;
  stopped: boolean;
  timer: Timer | undefined;
}

interface Asked {
  readonly type: ProbeType;
  readonly probe: DeepReadonly<Probe>;
  readonly container: ReadonlyContainer;
  readonly observed: ObservedContainer;
}

export class Prober {
  readonly #deps: ProberDeps;
  readonly #loops = new Map<string, Loop>();
  #podIp = "";

  constructor(deps: ProberDeps) {
    this.#deps = deps;
  }

  /** Starts and stops loops so that they fit what runs now. `known`: results so far, by container id. */
  sync(
    pod: ReadonlyPod,
    observed: ObservedPod,
    known: ReadonlyMap<string, ProbeResults>,
    podIp: string,
    terminating: boolean,
  ): void {
    this.#podIp = podIp;
    const wanted = new Map<string, Asked>();
    for (const { container } of specContainers(pod)) {
      const running = observed.containers.find(({ name }) => name === container.name);
      if (running?.state !== "running") continue;
      const add = (type: ProbeType, probe: DeepReadonly<Probe> | undefined): void => {
        if (probe !== undefined)
          wanted.set(`${running.id}/${type}`, { type, probe, container, observed: running });
      };
      const results = known.get(running.id);
      // A pod that ends is asked only whether it still serves.
      if (container.startupProbe !== undefined && results?.startup !== true) {
        if (!terminating && results?.startup === undefined) add("startup", container.startupProbe);
        continue;
      }
      if (!terminating && results?.liveness !== false) add("liveness", container.livenessProbe);
      add("readiness", container.readinessProbe);
    }
    for (const [key, loop] of this.#loops) {
      if (wanted.has(key)) continue;
      this.#stop(loop);
      this.#loops.delete(key);
    }
    for (const [key, asked] of wanted) if (!this.#loops.has(key)) this.#start(key, asked);
  }

  stop(): void {
    for (const loop of this.#loops.values()) this.#stop(loop);
    this.#loops.clear();
  }

  #stop(loop: Loop): void {
    loop.stopped = true;
    loop.timer?.cancel();
  }

  #start(key: string, asked: Asked): void {
    const { clock } = this.#deps;
    const loop: Loop = { containerId: asked.observed.id, stopped: false, timer: undefined };
    this.#loops.set(key, loop);
    let state = initialProbeState(asked.type);
    const ask = async (): Promise<void> => {
      const askedAt = clock.monotonic();
      state = await this.#ask(asked, state, loop);
      if (loop.stopped) return;
      const spent = clock.monotonic() - askedAt;
      loop.timer = clock.after(Math.max(0, probePeriodMs(asked.probe) - spent), () => void ask());
    };
    const now = clock.now();
    loop.timer = clock.after(
      firstProbeAtMs(asked.probe, asked.observed.startedAtMs, now) - now,
      () => void ask(),
    );
  }

  async #ask(asked: Asked, state: ProbeState, loop: Loop): Promise<ProbeState> {
    const { runtime, version, onResult, onUnhealthy } = this.#deps;
    const { type, probe, container, observed } = asked;
    let ok = false;
    let output = "";
    try {
      ({ ok, output } = await this.#deps.probe(probe, {
        runtime,
        container,
        containerId: observed.id,
        podIp: this.#podIp,
        version,
      }));
    } catch (thrown) {
      output = toError(thrown).message;
    }
    if (loop.stopped) return state;
    const next = probeStep(state, ok, probe);
    if (!ok) onUnhealthy(container.name, `${probeTitle[type]} probe failed: ${output}`);
    const changed = next.decided && (!state.decided || next.result !== state.result);
    if (changed) onResult(observed.id, type, next.result);
    return next;
  }
}
