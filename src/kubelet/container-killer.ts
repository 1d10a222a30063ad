// Ends containers in the background: preStop hook, then the runtime's own stop with what is left of the grace
// period. Asking again only matters with less time than before.

import { toError } from "#base/assert.ts";
import { isCriError } from "#cri/errors.ts";
import { graceSecondsMin } from "./limits.ts";
import type { NodeContext } from "./node-context.ts";
import { findContainer } from "./plan/containers.ts";
import type { ReadonlyPod } from "./plan/model.ts";
import { containerReference } from "./pod-ref.ts";

export interface KillRequest {
  readonly id: string;
  readonly name: string;
  readonly message: string;
  readonly graceSeconds: number;
}

interface UnderWay {
  readonly endsAtMs: number;
  readonly done: Promise<void>;
}

export class ContainerKiller {
  readonly #context: NodeContext;
  readonly #wake: () => void;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(context: NodeContext, wake: () => void) {
    this.#context = context;
    this.#wake = wake;
  }

  isEnding(id: string): boolean {
    return this.#underWay.has(id);
  }

  kill(pod: ReadonlyPod, podIp: string, request: KillRequest): void {
    const { clock, recorder, log } = this.#context;
    const endsAtMs = clock.now() + request.graceSeconds * 1000;
    const known = this.#underWay.get(request.id);
    if (known !== undefined && known.endsAtMs <= endsAtMs + 500) return;
    if (known === undefined)
      recorder.event(containerReference(pod, request.name), "Normal", "Killing", request.message);
    const done = this.#end(pod, podIp, request, known === undefined)
      .catch((thrown: unknown) => {
        log.warn("a container was not stopped", { container: request.id, error: toError(thrown) });
      })
      .finally(() => {
        if (this.#underWay.get(request.id)?.done === done) this.#underWay.delete(request.id);
        this.#wake();
      });
    this.#underWay.set(request.id, { endsAtMs, done });
  }

  async #end(pod: ReadonlyPod, podIp: string, request: KillRequest, withHook: boolean): Promise<void> {
    const { clock, runtime, recorder, version } = this.#context;
    const startedAt = clock.monotonic();
    const container = findContainer(pod, request.name)?.container;
    const preStop = container?.lifecycle?.preStop;
    if (withHook && container !== undefined && preStop !== undefined) {
      const failure = await this.#context.hook(
        preStop,
        { runtime, clock, container, containerId: request.id, podIp, version },
        request.graceSeconds,
      );
      if (failure !== undefined)
        recorder.event(
          containerReference(pod, request.name),
          "Warning",
          "FailedPreStopHook",
          `PreStopHook failed: ${failure}`,
        );
    }
    const spent = (clock.monotonic() - startedAt) / 1000;
    const left =
      preStop === undefined ? request.graceSeconds : Math.max(graceSecondsMin, request.graceSeconds - spent);
    try {
      await runtime.stopContainer(request.id, left);
    } catch (error) {
      if (!isCriError(error, "NotFound")) throw error;
    }
  }
}
