// Documented defaults of a pod spec, shared by pods and every template. Mutates drafts; idempotent.

import type { Container, PodSpec, Probe, Volume } from "#machinery/gen/types/core-v1.ts";

/** `name:tag@digest` → the tag; none is `latest`. */
function hasLatestTag(image: string): boolean {
  if (image.includes("@")) return false;
  const last = image.slice(image.lastIndexOf("/") + 1);
  const tag = last.includes(":") ? last.slice(last.indexOf(":") + 1) : "latest";
  return tag === "latest";
}

function probeDefaults(probe: Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet !== undefined) {
    probe.httpGet.path ||= "/";
    probe.httpGet.scheme ||= "HTTP";
  }
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}

function containerDefaults(container: Container, hostNetwork: boolean): void {
  container.imagePullPolicy ||= hasLatestTag(container.image ?? "") ? "Always" : "IfNotPresent";
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  const { limits, requests } = container.resources;
  if (limits !== undefined) {
    const all = { ...limits, ...requests };
    if (Object.keys(all).length > 0) container.resources.requests = all;
  }
  for (const port of container.ports ?? []) {
    port.protocol ||= "TCP";
    if (hostNetwork && !port.hostPort) port.hostPort = port.containerPort ?? 0;
  }
  for (const variable of container.env ?? [])
    if (variable.valueFrom?.fieldRef !== undefined) variable.valueFrom.fieldRef.apiVersion ||= "v1";
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    probeDefaults(probe);
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet === undefined) continue;
    handler.httpGet.path ||= "/";
    handler.httpGet.scheme ||= "HTTP";
  }
}

const sources = (volume: Volume): string[] =>
  Object.keys(volume).filter(
    (key) => key !== "name" && (volume as unknown as Record<string, unknown>)[key] !== undefined,
  );

function volumeDefaults(volume: Volume): void {
  if (sources(volume).length === 0) volume.emptyDir = {};
  const mode = 0o644;
  if (volume.secret !== undefined) volume.secret.defaultMode ??= mode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= mode;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= mode;
    for (const item of volume.downwardAPI.items ?? [])
      if (item.fieldRef !== undefined) item.fieldRef.apiVersion ||= "v1";
  }
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= mode;
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600;
      for (const item of source.downwardAPI?.items ?? [])
        if (item.fieldRef !== undefined) item.fieldRef.apiVersion ||= "v1";
    }
  }
}

export function podSpecDefaults(spec: PodSpec): void {
  spec.restartPolicy ||= "Always";
  spec.dnsPolicy ||= "ClusterFirst";
  spec.schedulerName ||= "default-scheduler";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  const hostNetwork = spec.hostNetwork === true;
  const all = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const container of all) containerDefaults(container, hostNetwork);
  for (const volume of spec.volumes ?? []) volumeDefaults(volume);
  // The old name is written along with the new one.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
}
