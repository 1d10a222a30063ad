// Keeps one process's turns of the event loop short. Components that call one another in memory never wait for a socket,
// so that a burst of their work could hold everybody else's sockets and timers for seconds.

/** A turn that has lasted this long lets the event loop go on. */
const turnMsMax = 4;
/** Those who have waited begin for this long; what they began takes its time, too. */
const beginMsMax = 2;

/** Who gives way waits in order; as many go on in the next turn as fit into it. */
export class Turns {
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #from = 0;
  #beganMs = 0;
  #isMarked = false;
  #isDraining = false;

  /** `now` in milliseconds; a clock that stands still never has anybody wait. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Before a piece of work: undefined when it may begin now. */
  enter(): Promise<void> | undefined {
    const nowMs = this.#now();
    if (!this.#isMarked) {
      this.#isMarked = true;
      this.#beganMs = nowMs;
      setImmediate(() => {
        this.#isMarked = false;
      });
    }
    if (this.#from === this.#waiting.length && nowMs - this.#beganMs < turnMsMax) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#drainSoon();
    return promise;
  }

  #drainSoon(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    // After whatever the event loop has: sockets, timers.
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    const beganMs = this.#now();
    while (this.#from < this.#waiting.length) {
      this.#waiting[this.#from++]?.();
      // Its work runs before the next one's begins.
      await Promise.resolve();
      if (this.#now() - beganMs >= beginMsMax) break;
    }
    if (this.#from === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#from = 0;
    }
    this.#isDraining = false;
    if (this.#waiting.length > 0) this.#drainSoon();
  }
}
