// What every component of the system is, so that one list can start, watch and stop them all (ARCHITECTURE.md: compositions).

import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Transport } from "#machinery/api-request.ts";

export interface Deps {
  /** Reaches the API server with this component's own identity. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface Component {
  readonly name: string;
  /** Resolves when it has started to do its work; rejects when it never will. */
  readonly ready: Promise<void>;
  /** Resolves after stop(); rejects when the component fails for good. */
  readonly done: Promise<void>;
  /** Stops, finishing what it must; idempotent. */
  stop(): Promise<void>;
}
