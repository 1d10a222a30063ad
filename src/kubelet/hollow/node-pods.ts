// One cache of all pods, seen as many: each hollow node of the process has its own pods, and hears of no others.

import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import type { Handler, Informer } from "#reconcile/informer.ts";

type ReadPod = DeepReadonly<Pod>;

const nodeOf = (pod: ReadPod | undefined): string => pod?.spec?.nodeName ?? "";

export class NodePods {
  readonly #pods: Informer<Pod>;
  readonly #handlers = new Map<string, Set<Handler<Pod>>>();
  readonly #stop: () => void;

  constructor(pods: Informer<Pod>) {
    this.#pods = pods;
    pods.addIndex("node", (pod) => (nodeOf(pod) === "" ? [] : [nodeOf(pod)]));
    this.#stop = pods.onChange((pod, old) => {
      const name = nodeOf(pod) || nodeOf(old);
      // A binding is when its node first hears of a pod.
      const before = nodeOf(old) === name ? old : undefined;
      for (const handler of this.#handlers.get(name) ?? []) handler(pod, before);
    });
  }

  stop(): void {
    this.#stop();
  }

  of(node: string): Informer<Pod> {
    const pods = this.#pods;
    const own = (): readonly ReadPod[] => pods.byIndex("node", node);
    const isOwn = (pod: ReadPod | undefined): boolean => nodeOf(pod) === node;
    return {
      ref: pods.ref,
      get synced() {
        return pods.synced;
      },
      get resourceVersion() {
        return pods.resourceVersion;
      },
      get size() {
        return own().length;
      },
      waitForSync: () => pods.waitForSync(),
      get: (key) => {
        const pod = pods.get(key);
        return isOwn(pod) ? pod : undefined;
      },
      list: own,
      byIndex: (index, value) => pods.byIndex(index, value).filter(isOwn),
      addIndex: (name, values) => pods.addIndex(name, values),
      onChange: (handler) => {
        const handlers = this.#handlers.get(node) ?? new Set<Handler<Pod>>();
        this.#handlers.set(node, handlers.add(handler));
        for (const pod of own()) handler(pod, undefined);
        return () => void handlers.delete(handler);
      },
      onProgress: (handler) => pods.onProgress(handler),
      observe: (key, object) => pods.observe(key, object),
    };
  }
}
