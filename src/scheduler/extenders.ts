// The extenders that have a say in a pod, asked one after the other about nodes and victims, and at once about scores.

import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { ExtenderClient } from "./extender-client.ts";
import {
  bindingArgs,
  nodesArgs,
  preemptionArgs,
  readBindingAnswer,
  readFilterAnswer,
  readPreemptionAnswer,
  readPriorities,
  type ExtenderConfig,
  type FilterAnswer,
  type RefusedByExtender,
  type VictimIds,
} from "./plan/extender-protocol.ts";
import type { PodInfo, ReadPod } from "./plan/pod-info.ts";

/** Whole objects, for extenders that do not know them themselves. */
export interface Whole {
  readonly node: (name: string) => DeepReadonly<Node> | undefined;
  readonly pod: (uid: string) => ReadPod | undefined;
}

const nobody: readonly ExtenderClient[] = [];

export class Extenders {
  readonly #clients: readonly ExtenderClient[];
  readonly #whole: Whole;
  readonly #log: Logger;

  constructor(configs: readonly ExtenderConfig[], whole: Whole, log: Logger) {
    this.#clients = configs.map((config) => new ExtenderClient(config));
    this.#whole = whole;
    this.#log = log;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  /** Those that are to be asked about the pod: mostly none. */
  interestedIn({ shape: { requests } }: PodInfo): readonly ExtenderClient[] {
    const wanted = [...(requests.others?.keys() ?? [])];
    const interested = this.#clients.filter(
      ({ config: { managedResources } }) =>
        managedResources.size === 0 || wanted.some((name) => managedResources.has(name)),
    );
    return interested.length === 0 ? nobody : interested;
  }

  /** What passes one is asked of the next. */
  async filter(
    extenders: readonly ExtenderClient[],
    pod: ReadPod,
    names: readonly string[],
  ): Promise<FilterAnswer> {
    const refused = new Map<string, RefusedByExtender>();
    let passed = names;
    for (const one of extenders) {
      const { config } = one;
      if (config.filterVerb === "" || passed.length === 0) continue;
      const asked = passed;
      const answer = await this.#unlessIgnored(config, async () => {
        const args = nodesArgs(pod, asked, this.#whole.node, config);
        return readFilterAnswer(await one.ask(config.filterVerb, args), asked, config);
      });
      if (answer === undefined) continue;
      passed = answer.passed;
      for (const [name, refusal] of answer.refused) refused.set(name, refusal);
    }
    return { passed, refused };
  }

  /** Whoever fails has no preference: never a reason not to place a pod. */
  async scores(
    extenders: readonly ExtenderClient[],
    pod: ReadPod,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    const asked = extenders.filter(({ config }) => config.prioritizeVerb !== "");
    const answers = await Promise.all(
      asked.map((one) =>
        this.#unlessIgnored({ ...one.config, ignorable: true }, async () => {
          const args = nodesArgs(pod, names, this.#whole.node, one.config);
          return readPriorities(await one.ask(one.config.prioritizeVerb, args), one.config);
        }),
      ),
    );
    const totals = new Map<string, number>();
    for (const answer of answers)
      for (const [name, score] of answer ?? []) totals.set(name, (totals.get(name) ?? 0) + score);
    return totals;
  }

  async victims(
    extenders: readonly ExtenderClient[],
    pod: ReadPod,
    victims: ReadonlyMap<string, VictimIds>,
    /** Throws when an answer makes no sense here. */
    check: (answer: ReadonlyMap<string, VictimIds>) => void,
  ): Promise<ReadonlyMap<string, VictimIds>> {
    let left = victims;
    for (const one of extenders) {
      const { config } = one;
      if (config.preemptVerb === "" || left.size === 0) continue;
      const asked = left;
      const answer = await this.#unlessIgnored(config, async () => {
        const args = preemptionArgs(pod, asked, this.#whole.pod, config);
        const told = readPreemptionAnswer(await one.ask(config.preemptVerb, args));
        check(told);
        return told;
      });
      left = answer ?? left;
    }
    return left;
  }

  /** True when an extender has bound the pod; false when that is the scheduler's own to do. */
  async bind(extenders: readonly ExtenderClient[], info: PodInfo, node: string): Promise<boolean> {
    const binder = extenders.find(({ config }) => config.bindVerb !== "");
    if (binder === undefined) return false;
    const { config } = binder;
    const answer = await this.#unlessIgnored(config, async () => {
      readBindingAnswer(await binder.ask(config.bindVerb, bindingArgs(info, node)));
      return true;
    });
    return answer === true;
  }

  /** Undefined when an extender failed that may. */
  async #unlessIgnored<T>(
    { ignorable, urlPrefix }: ExtenderConfig,
    ask: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await ask();
    } catch (thrown) {
      if (!ignorable) throw thrown;
      this.#log.warn("an extender failed, and is gone without", { urlPrefix, error: toError(thrown) });
      return undefined;
    }
  }
}
