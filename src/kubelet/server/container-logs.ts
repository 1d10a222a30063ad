// `/containerLogs/NAMESPACE/POD/CONTAINER`: which of a container's runs is meant, and what is wrong with the question.

import { join } from "node:path";
import type { ContainerStatus } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import type { LogOptions } from "../logs/log-reader.ts";
import { containerLogPath } from "../plan/container-config.ts";
import { findContainer } from "../plan/containers.ts";
import type { ObservedContainer, ObservedPod, ReadonlyPod } from "../plan/model.ts";
import { podLogDirectory } from "../plan/sandbox-config.ts";

export type LogTarget =
  | { readonly container: ObservedContainer; readonly path: string }
  | { readonly status: 400; readonly message: string };

/** The run whose log is meant, as the container's status names it; the shown state is what people go by. */
export function logTarget(
  pod: ReadonlyPod,
  observed: ObservedPod,
  name: string,
  previous: boolean,
  logRoot: string,
): LogTarget {
  const podName = pod.metadata?.name ?? "";
  if (findContainer(pod, name) === undefined)
    return { status: 400, message: `container ${name} is not valid for pod ${podName}` };
  const status = statusOf(pod, name);
  const ended = status?.lastState?.terminated?.containerID;
  const id = previous ? ended : status?.state?.waiting === undefined ? status?.containerID : ended;
  const container = observed.containers.find((run) => `containerd://${run.id}` === id);
  if (container !== undefined) {
    const directory = podLogDirectory(logRoot, pod);
    return { container, path: join(directory, containerLogPath(name, container.attempt)) };
  }
  if (previous)
    return { status: 400, message: `previous terminated container "${name}" in pod "${podName}" not found` };
  if (status?.state?.terminated !== undefined)
    return { status: 400, message: `container "${name}" in pod "${podName}" is terminated` };
  const reason = status?.state?.waiting?.reason ?? "ContainerCreating";
  const hindrance = imageReasons.has(reason)
    ? `trying and failing to pull image`
    : `waiting to start: ${reason}`;
  return { status: 400, message: `container "${name}" in pod "${podName}" is ${hindrance}` };
}

const imageReasons = new Set(["ErrImagePull", "ImagePullBackOff"]);

function statusOf(pod: ReadonlyPod, name: string): DeepReadonly<ContainerStatus> | undefined {
  return [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find((status) => status.name === name);
}
const isTrue = (value: string | null): boolean => value === "true" || value === "1" || value === "";

export function logOptions(
  query: URLSearchParams,
  nowMs: number,
): { options: LogOptions; previous: boolean } | { message: string } {
  const whole = (name: string, least: number): number | undefined | string => {
    const text = query.get(name);
    if (text === null || text === "") return undefined;
    const value = Number(text);
    return Number.isInteger(value) && value >= least
      ? value
      : `${name}: Invalid value: ${JSON.stringify(text)}: must be an integer greater than or equal to ${least}`;
  };
  const tailLines = whole("tailLines", 0);
  const limitBytes = whole("limitBytes", 1);
  const sinceSeconds = whole("sinceSeconds", 1);
  for (const value of [tailLines, limitBytes, sinceSeconds])
    if (typeof value === "string") return { message: value };
  const sinceTime = query.get("sinceTime");
  let sinceMs: number | undefined;
  if (typeof sinceSeconds === "number") sinceMs = nowMs - sinceSeconds * 1000;
  else if (sinceTime !== null && sinceTime !== "") {
    sinceMs = Date.parse(sinceTime);
    if (Number.isNaN(sinceMs)) return { message: `sinceTime: Invalid value: ${JSON.stringify(sinceTime)}` };
  }
  const stream = query.get("stream");
  return {
    previous: query.has("previous") && isTrue(query.get("previous")),
    options: {
      follow: query.has("follow") && isTrue(query.get("follow")),
      tailLines: tailLines as number | undefined,
      limitBytes: limitBytes as number | undefined,
      sinceMs,
      timestamps: query.has("timestamps") && isTrue(query.get("timestamps")),
      stream: stream === "Stdout" ? "stdout" : stream === "Stderr" ? "stderr" : undefined,
    },
  };
}
