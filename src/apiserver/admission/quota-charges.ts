// Charges what is written to the quotas of its namespace, before it is written: those that wait together are charged
// together, in one transaction that fails when a quota is no longer as it was looked at.

import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { ResourceQuota } from "#machinery/gen/types/core-v1.ts";
import type { Quantity } from "#machinery/quantity.ts";
import { serviceUnavailable } from "#machinery/status.ts";
import { formatAmounts } from "#resources/core/quota/amounts.ts";
import { askQuotas, type QuotaQuestion } from "#resources/core/quota/check.ts";
import type { AdmissionReads } from "./contract.ts";

interface Waiting extends QuotaQuestion {
  readonly dryRun: boolean;
  readonly resolve: (refusal: string | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Writes that one transaction charges, at most. */
const batchMax = 200;
/** How often others may be faster. */
const attemptsMax = 10;

export class QuotaCharges {
  readonly #reads: AdmissionReads;
  readonly #clock: Clock;
  /** By namespace; as many as there are requests under way. */
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(reads: AdmissionReads, clock: Clock) {
    this.#reads = reads;
    this.#clock = clock;
  }

  /** Resolves with why not, or with nothing once it is charged. */
  charge(namespace: string, question: QuotaQuestion, dryRun: boolean): Promise<string | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const one = { ...question, dryRun, resolve, reject };
    const waiting = this.#waiting.get(namespace);
    if (waiting !== undefined) waiting.push(one);
    else {
      this.#waiting.set(namespace, [one]);
      void this.#work(namespace);
    }
    return promise;
  }

  /** One at a time in a namespace. Never rejects. */
  async #work(namespace: string): Promise<void> {
    for (;;) {
      const batch = this.#waiting.get(namespace)?.splice(0, batchMax) ?? [];
      if (batch.length === 0) {
        this.#waiting.delete(namespace);
        return;
      }
      try {
        await this.#settle(namespace, batch);
      } catch (thrown) {
        for (const one of batch) one.reject(toError(thrown));
      }
    }
  }

  async #settle(namespace: string, batch: readonly Waiting[]): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const quotas = await this.#reads.list<ResourceQuota>("", "resourcequotas", namespace);
      const used = new Map<string, Map<string, Quantity>>();
      const refusals = batch.map((one) => {
        const answer = askQuotas(quotas, used, one, this.#clock.now());
        if (answer.refusal === undefined && !one.dryRun)
          for (const [name, amounts] of answer.used) used.set(name, amounts);
        return answer.refusal;
      });
      const changed = quotas.filter(({ metadata }) => used.has(metadata?.name ?? ""));
      const next = changed.map((quota) => {
        const amounts = used.get(quota.metadata?.name ?? "") ?? new Map<string, Quantity>();
        return { ...quota, status: { ...quota.status, used: formatAmounts(amounts) } };
      });
      if (changed.length > 0 && !(await this.#reads.replaceAll("", "resourcequotas", next))) continue;
      batch.forEach(({ resolve }, at) => resolve(refusals[at]));
      return;
    }
    throw serviceUnavailable("the quotas of the namespace are changed all the time: try again");
  }
}
