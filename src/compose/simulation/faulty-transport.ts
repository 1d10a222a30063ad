// A component's way to the API server, as bad as asked for: answers that are lost, requests that never arrive or take
// their time, watches that break off, and a wire that is cut for good when its component is killed.

import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { ApiBody, ApiRequest, ApiResponse, SharedEvent, Transport } from "#machinery/api-request.ts";

/** Chances from 0 to 1. */
export interface WireFaults {
  /** Of a request, to fail before the server sees it. */
  readonly failed: number;
  /** Of a write, to be done and its answer lost. */
  readonly lost: number;
  /** Of a request, to take up to `slowMsMax` longer. */
  readonly slow: number;
  readonly slowMsMax: number;
  /** Of a batch of events, to end the watch before it. */
  readonly dropped: number;
}

export const noFaults: WireFaults = { failed: 0, lost: 0, slow: 0, slowMsMax: 0, dropped: 0 };

export interface WireParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked for each request. */
  readonly faults: () => WireFaults;
  /** Something went in (a request) or out: whoever waits for quiet waits on. */
  readonly active: (request?: ApiRequest) => void;
}

class Broken extends Error {
  override name = "Broken";
}

const isWatch = ({ query }: ApiRequest): boolean => /(^|&)watch=(true|1)(&|$)/.test(query);

export class FaultyTransport implements Transport {
  readonly #parts: WireParts;
  readonly #cut = new AbortController();

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  /** Nothing gets through any more, in either direction. */
  cut(): void {
    this.#cut.abort();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const { transport, clock, random, faults, active } = this.#parts;
    const chance = faults();
    active(request);
    this.#check();
    if (random.next() < chance.failed) throw new Broken("the request did not arrive");
    if (random.next() < chance.slow) await clock.sleep(random.integer(chance.slowMsMax), this.#cut.signal);
    this.#check();
    const signals = [this.#cut.signal, ...(request.signal === undefined ? [] : [request.signal])];
    const answer = await transport.request({ ...request, signal: AbortSignal.any(signals) });
    active();
    this.#check();
    if (request.method !== "GET" && random.next() < chance.lost) throw new Broken("the answer was lost");
    return isWatch(request) ? { ...answer, body: this.#breakable(answer.body) } : answer;
  }

  #check(): void {
    if (this.#cut.signal.aborted) throw new Broken("the component is dead");
  }

  #breakable(body: ApiBody): ApiBody {
    return body.kind === "events" ? { kind: "events", events: this.#events(body.events) } : body;
  }

  async *#events(events: AsyncIterable<readonly SharedEvent[]>): AsyncGenerator<readonly SharedEvent[]> {
    const { random, faults, active } = this.#parts;
    for await (const batch of events) {
      active();
      if (this.#cut.signal.aborted) return;
      if (random.next() < faults().dropped) throw new Broken("the watch broke off");
      yield batch;
    }
  }
}
