import assert from "node:assert/strict";
import { test } from "node:test";
import type { Link } from "#host/network.ts";
import { egressRuleset } from "./egress.ts";
import { bridgeCommands, nodeCommands, vethCommands } from "./network.ts";
import { planCluster, subnetsOfSlot, type NodePlan } from "./plan.ts";
import { planRoutes, routeChanges, routeCommand } from "./routes.ts";

const plan = planCluster({ name: "leme", nodes: 2, subnets: subnetsOfSlot(0), mtu: 1400 });
const first = plan.nodes[0] as NodePlan;
const link = (ifname: string, local?: string): Link => ({
  ifname,
  mtu: 1400,
  operstate: "UP",
  ...(local === undefined ? {} : { addr_info: [{ family: "inet", local, prefixlen: 24 }] }),
});

test("links are made once", () => {
  assert.deepEqual(bridgeCommands(plan, []), [
    "link add lm-leme mtu 1400 type bridge",
    "address add 10.200.0.1/24 dev lm-leme",
    "link set lm-leme up",
  ]);
  assert.deepEqual(bridgeCommands(plan, [link("lm-leme", "10.200.0.1")]), ["link set lm-leme up"]);
  assert.deepEqual(vethCommands(first, []), [
    "link add lmleme-1 mtu 1400 type veth peer name eth0 mtu 1400 netns leme-node-1",
    "link set lmleme-1 master lm-leme up",
  ]);
  assert.deepEqual(vethCommands(first, [link("lmleme-1")]), ["link set lmleme-1 master lm-leme up"]);
});

test("a node reaches the host and the other nodes' pods", () => {
  assert.deepEqual(nodeCommands(first, plan.nodes, [link("eth0")]), [
    "link set lo up",
    "address add 10.200.0.11/24 dev eth0",
    "link set eth0 up",
    "route replace default via 10.200.0.1",
    "route replace 10.244.2.0/24 via 10.200.0.12",
  ]);
  assert.equal(nodeCommands(first, plan.nodes, [link("eth0", "10.200.0.11")]).length, 4);
});

test("routes: pods through their node, Services through Ready nodes only", () => {
  const commands = (...ready: string[]): string[] => planRoutes(plan, new Set(ready)).map(routeCommand);
  const pods = [
    "route replace 10.244.1.0/24 proto 108 via 10.200.0.11",
    "route replace 10.244.2.0/24 proto 108 via 10.200.0.12",
  ];
  assert.deepEqual(commands("leme-node-1", "leme-node-2"), [
    ...pods,
    "route replace 10.96.0.0/16 proto 108 nexthop via 10.200.0.11 nexthop via 10.200.0.12",
    "route replace 10.200.0.128/25 proto 108 nexthop via 10.200.0.11 nexthop via 10.200.0.12",
  ]);
  assert.deepEqual(commands("leme-node-2", "somebody-else"), [
    ...pods,
    "route replace 10.96.0.0/16 proto 108 via 10.200.0.12",
    "route replace 10.200.0.128/25 proto 108 via 10.200.0.12",
  ]);
  assert.deepEqual(commands(), [
    ...pods,
    "route replace unreachable 10.96.0.0/16 proto 108",
    "route replace unreachable 10.200.0.128/25 proto 108",
  ]);
});

test("only routes that differ change", () => {
  const wanted = planRoutes(plan, new Set(["leme-node-1", "leme-node-2"]));
  const present = [
    { dst: "10.244.1.0/24", gateway: "10.200.0.11" },
    { dst: "10.244.2.0/24", gateway: "10.200.0.11" },
    { dst: "10.96.0.0/16", nexthops: [{ gateway: "10.200.0.12" }, { gateway: "10.200.0.11" }] },
    { type: "unreachable", dst: "10.200.0.128/25" },
  ];
  assert.deepEqual(routeChanges(wanted, present), [
    "route replace 10.244.2.0/24 proto 108 via 10.200.0.12",
    "route replace 10.200.0.128/25 proto 108 nexthop via 10.200.0.11 nexthop via 10.200.0.12",
  ]);
});

test("forwarding that was off before stays off for everybody else", () => {
  const guard = /iifname != "lm-\*" oifname != "lm-\*" drop/;
  assert.match(egressRuleset(plan, true), guard);
  assert.doesNotMatch(egressRuleset(plan, false), guard);
});
