// Starts components in order, each when the ones before it are ready, and stops them in the opposite order.

import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { Component } from "./component.ts";

export interface Startable {
  readonly name: string;
  /** Start without waiting for the ready of those before it in the list. */
  readonly early?: boolean;
  /** Undefined when there is nothing to start. */
  readonly start: () => Component | undefined;
}

/** One component made of several. The failure of one stops all and fails `done`. */
export function startComponents(name: string, list: readonly Startable[], log: Logger): Component {
  const running: Component[] = [];
  let stopping: Promise<void> | undefined;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  done.catch(() => undefined);

  const stopAll = async (): Promise<void> => {
    for (const component of running.toReversed()) {
      try {
        await component.stop();
      } catch (thrown) {
        log.warn("a component did not stop cleanly", { component: component.name, error: toError(thrown) });
      }
    }
  };

  const fail = (component: string, thrown: unknown): void => {
    if (stopping !== undefined) return;
    const error = toError(thrown);
    log.error("a component failed", { component, error });
    stopping = stopAll().then(() => reject(error));
  };

  const startAll = async (): Promise<void> => {
    for (const { name: of, early = false, start } of list) {
      if (!early) await Promise.all(running.map((component) => component.ready));
      if (stopping !== undefined) return;
      const component = start();
      if (component === undefined) continue;
      running.push(component);
      component.done.catch((thrown: unknown) => fail(of, thrown));
    }
    await Promise.all(running.map((component) => component.ready));
  };

  const ready = startAll();
  ready.catch((thrown: unknown) => fail(name, thrown));
  return {
    name,
    ready,
    done,
    async stop() {
      stopping ??= stopAll().then(resolve);
      await stopping;
    },
  };
}
