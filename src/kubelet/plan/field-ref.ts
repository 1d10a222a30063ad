// The downward API: the pod's own fields and resources as strings, for variables and for files.

import { amount } from "./amounts.ts";
import type { ReadonlyContainer, ReadonlyPod } from "./model.ts";

/** What the node adds to a pod's own fields. */
export interface NodeFacts {
  readonly nodeName: string;
  readonly hostIps: readonly string[];
  /** Known once the sandbox runs. */
  readonly podIps: readonly string[];
  readonly allocatable: Readonly<Record<string, string>>;
}

/** `key="value"` lines, sorted, quoted as Go quotes strings. */
export function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}

/** The value at `fieldPath`, or undefined when there is no such field. */
export function fieldValue(pod: ReadonlyPod, fieldPath: string, facts: NodeFacts): string | undefined {
  const meta = pod.metadata ?? {};
  const subscript = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(fieldPath);
  if (subscript !== null) {
    const map = subscript[1] === "labels" ? meta.labels : meta.annotations;
    const key = subscript[2] as string;
    return map !== undefined && Object.hasOwn(map, key) ? map[key] : "";
  }
  switch (fieldPath) {
    case "metadata.name":
      return meta.name ?? "";
    case "metadata.namespace":
      return meta.namespace ?? "";
    case "metadata.uid":
      return meta.uid ?? "";
    case "metadata.labels":
      return formatMap(meta.labels);
    case "metadata.annotations":
      return formatMap(meta.annotations);
    case "spec.nodeName":
      return pod.spec?.nodeName ?? facts.nodeName;
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return facts.hostIps[0] ?? "";
    case "status.hostIPs":
      return facts.hostIps.join(",");
    case "status.podIP":
      return facts.podIps[0] ?? "";
    case "status.podIPs":
      return facts.podIps.join(",");
    default:
      return undefined;
  }
}

/** `limits.cpu` and its like of one container, in units of the divisor, rounded up. Undefined: no such resource. */
export function resourceValue(
  container: ReadonlyContainer,
  resource: string,
  divisor: string | undefined,
  facts: NodeFacts,
): string | undefined {
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(resource);
  if (match === null) return undefined;
  const [, from, name = ""] = match;
  const own = from === "limits" ? container.resources?.limits?.[name] : container.resources?.requests?.[name];
  // Without a limit the whole node is the limit.
  const quantity = own ?? (from === "limits" ? facts.allocatable[name] : undefined) ?? "0";
  const unit = divisor === undefined || amount(divisor) === 0 ? 1 : amount(divisor);
  return String(Math.ceil(Number((amount(quantity) / unit).toPrecision(15))));
}
