// References to a pod and its containers for events.

import type { ObjectReference } from "#machinery/gen/types/core-v1.ts";
import { specContainers } from "./plan/containers.ts";
import type { ReadonlyPod } from "./plan/model.ts";

export function podReference(pod: ReadonlyPod): ObjectReference {
  const { namespace, name, uid, resourceVersion } = pod.metadata ?? {};
  return {
    kind: "Pod",
    apiVersion: "v1",
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

const fields = {
  init: "spec.initContainers",
  sidecar: "spec.initContainers",
  app: "spec.containers",
  ephemeral: "spec.ephemeralContainers",
} as const;

export function containerReference(pod: ReadonlyPod, name: string): ObjectReference {
  const kind = specContainers(pod).find(({ container }) => container.name === name)?.kind ?? "app";
  return { ...podReference(pod), fieldPath: `${fields[kind]}{${name}}` };
}
