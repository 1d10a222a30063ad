// The host's ways into the cluster: every node's pods through that node; Service and balancer addresses through
// the nodes that are Ready. Planning is pure; the shell applies the difference.

import { listRoutes, ipBatch, type Route } from "#host/network.ts";
import type { ClusterPlan } from "./plan.ts";

/** Marks our routes (`ip route show proto 108`), so that we only ever replace or remove our own. */
export const routeProtocol = 108;

export interface PlannedRoute {
  readonly destination: string;
  /** Empty: unreachable, so that the traffic does not leave by the default route. */
  readonly gateways: readonly string[];
}

export function planRoutes(plan: ClusterPlan, readyNodes: ReadonlySet<string>): PlannedRoute[] {
  const ready = plan.nodes.filter((node) => readyNodes.has(node.name)).map((node) => node.address);
  return [
    ...plan.nodes.map((node) => ({ destination: node.podCidr, gateways: [node.address] })),
    ...[plan.subnets.services, plan.subnets.loadBalancers].map((destination) => ({
      destination,
      gateways: ready,
    })),
  ];
}

export function routeCommand({ destination, gateways }: PlannedRoute): string {
  const how =
    gateways.length === 1
      ? `via ${gateways[0]}`
      : gateways.map((gateway) => `nexthop via ${gateway}`).join(" ");
  const type = gateways.length === 0 ? "unreachable " : "";
  return `route replace ${type}${destination} proto ${routeProtocol} ${how}`.trimEnd();
}

function gatewaysOf(route: Route): string[] {
  return (
    route.nexthops?.map((hop) => hop.gateway ?? "") ?? (route.gateway === undefined ? [] : [route.gateway])
  );
}

/** The commands that turn the routes there are into the planned ones. Pure. */
export function routeChanges(planned: readonly PlannedRoute[], present: readonly Route[]): string[] {
  const same = (wanted: PlannedRoute): boolean =>
    present.some(
      (route) =>
        route.dst === wanted.destination &&
        gatewaysOf(route).toSorted().join() === [...wanted.gateways].toSorted().join(),
    );
  return planned.filter((wanted) => !same(wanted)).map(routeCommand);
}

export async function applyRoutes(plan: ClusterPlan, readyNodes: ReadonlySet<string>): Promise<string[]> {
  const changes = routeChanges(planRoutes(plan, readyNodes), await listRoutes());
  await ipBatch(changes);
  return changes;
}

/** Before it is known which nodes are Ready: what is missing, and nothing of what a running cluster uses. */
export async function ensureRoutes(plan: ClusterPlan): Promise<void> {
  const present = await listRoutes();
  const known = new Set(present.filter(isOurs).map((route) => route.dst));
  const shared = new Set([plan.subnets.services, plan.subnets.loadBalancers]);
  const wanted = planRoutes(plan, new Set()).filter(
    ({ destination }) => !(shared.has(destination) && known.has(destination)),
  );
  await ipBatch(routeChanges(wanted, present));
}

/** True when Services can be reached: their route leads to a node. */
export async function servicesRouted(plan: ClusterPlan): Promise<boolean> {
  const route = (await listRoutes()).find((each) => each.dst === plan.subnets.services);
  return route !== undefined && gatewaysOf(route).length > 0;
}

const isOurs = (route: Route): boolean => route.protocol === String(routeProtocol);

export async function removeRoutes(plan: ClusterPlan): Promise<void> {
  const planned = new Set(planRoutes(plan, new Set()).map((route) => route.destination));
  const ours = (await listRoutes()).filter((route) => isOurs(route) && planned.has(route.dst));
  await ipBatch(
    ours.map((route) => `route delete ${route.type === "unreachable" ? "unreachable " : ""}${route.dst}`),
  );
}
