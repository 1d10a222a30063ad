// What an update of a Service keeps of what the server chose, and drops of what its new type does not have. Pure.
// A client that leaves out what was allocated means to keep it; one that changes the type and leaves the fields of the
// old type as they were means to lose them. Fields that it changed itself are validated as they are.

import { sameJson } from "#machinery/apply/equal.ts";
import type { ServiceSpec } from "#machinery/gen/types/core-v1.ts";
import {
  isExternallyAccessible,
  needsClusterIp,
  needsHealthPort,
  needsNodePorts,
  type ReadSpec,
} from "./service-types.ts";

const isLoadBalancer = ({ type }: ReadSpec): boolean => type === "LoadBalancer";

function keepAllocated(spec: ServiceSpec, before: ReadSpec): void {
  if (needsClusterIp(spec) && needsClusterIp(before) && !spec.clusterIP && before.clusterIP) {
    spec.clusterIP = before.clusterIP;
    spec.clusterIPs = [...(before.clusterIPs ?? [])];
  }
  // Older clients change the one, and leave the list as they have read it.
  if (spec.clusterIP && spec.clusterIP !== before.clusterIP) spec.clusterIPs = [spec.clusterIP];
  if (needsNodePorts(spec) && needsNodePorts(before)) {
    const held = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
    for (const port of spec.ports ?? []) {
      const same = before.ports?.find((one) => one.port === port.port && one.protocol === port.protocol);
      if (!port.nodePort && same?.nodePort && !held.has(same.nodePort)) port.nodePort = same.nodePort;
    }
  }
  if (
    needsHealthPort(spec) &&
    needsHealthPort(before) &&
    !spec.healthCheckNodePort &&
    before.healthCheckNodePort
  )
    spec.healthCheckNodePort = before.healthCheckNodePort;
}

/** Fields by the types that have them: whoever no longer has them loses those that were not changed. */
const dependent: readonly { has: (spec: ReadSpec) => boolean; fields: readonly (keyof ServiceSpec)[] }[] = [
  { has: (spec) => !needsClusterIp(spec), fields: ["externalName"] },
  { has: needsClusterIp, fields: ["clusterIP", "clusterIPs"] },
  { has: needsClusterIp, fields: ["ipFamilies", "ipFamilyPolicy"] },
  { has: needsHealthPort, fields: ["healthCheckNodePort"] },
  { has: isLoadBalancer, fields: ["allocateLoadBalancerNodePorts"] },
  { has: isLoadBalancer, fields: ["loadBalancerClass"] },
  { has: isExternallyAccessible, fields: ["externalTrafficPolicy"] },
];

function dropDependent(spec: ServiceSpec, before: ReadSpec): void {
  const loses = (has: (spec: ReadSpec) => boolean): boolean => has(before) && !has(spec);
  for (const { has, fields } of dependent)
    if (loses(has) && fields.every((field) => sameJson(spec[field], before[field])))
      for (const field of fields) delete spec[field];
  const had = new Set((before.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  const isUntouched = (spec.ports ?? []).every(({ nodePort }) => !nodePort || had.has(nodePort));
  if (loses(needsNodePorts) && isUntouched) for (const port of spec.ports ?? []) delete port.nodePort;
}

export function settleUpdate(spec: ServiceSpec, before: ReadSpec): void {
  keepAllocated(spec, before);
  dropDependent(spec, before);
}
