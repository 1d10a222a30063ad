import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { planService } from "./backends.ts";
import { diffRulesets } from "./diff.ts";
import { chainName, planRuleset } from "./ruleset.ts";

const service = (spec: Partial<NonNullable<Service["spec"]>>, status: Service["status"] = {}): Service => ({
  metadata: { namespace: "default", name: "app" },
  spec: {
    type: "ClusterIP",
    clusterIP: "10.96.0.5",
    clusterIPs: ["10.96.0.5"],
    ports: [{ port: 80, targetPort: 4000, protocol: "TCP" }],
    ...spec,
  },
  status,
});

type Endpoint = { ip: string; node?: string; ready?: boolean; serving?: boolean; terminating?: boolean };
const slice = (...endpoints: Endpoint[]): EndpointSlice => ({
  addressType: "IPv4",
  ports: [{ name: "", port: 4000, protocol: "TCP" }],
  endpoints: endpoints.map(({ ip, node = "n1", ready = true, serving = ready, terminating = false }) => ({
    addresses: [ip],
    nodeName: node,
    conditions: { ready, serving, terminating },
  })),
});

test("which endpoints serve", () => {
  const ips = (list: readonly { ip: string }[] | undefined): string[] => (list ?? []).map(({ ip }) => ip);
  const rows: [string, Partial<NonNullable<Service["spec"]>>, Endpoint[], string[], string[]][] = [
    ["ready ones", {}, [{ ip: "10.0.0.1" }, { ip: "10.0.0.2", ready: false }], ["10.0.0.1"], ["10.0.0.1"]],
    [
      "terminating ones when no other is left",
      {},
      [{ ip: "10.0.0.1", ready: false, serving: true, terminating: true }],
      ["10.0.0.1"],
      ["10.0.0.1"],
    ],
    [
      "terminating ones not while another is ready",
      {},
      [{ ip: "10.0.0.1", ready: false, serving: true, terminating: true }, { ip: "10.0.0.2" }],
      ["10.0.0.2"],
      ["10.0.0.2"],
    ],
    [
      "local ones only for outsiders",
      { externalTrafficPolicy: "Local" },
      [{ ip: "10.0.0.1", node: "n2" }, { ip: "10.0.0.2" }],
      ["10.0.0.1", "10.0.0.2"],
      ["10.0.0.2"],
    ],
    [
      "local ones only inside",
      { internalTrafficPolicy: "Local" },
      [{ ip: "10.0.0.1", node: "n2" }],
      [],
      ["10.0.0.1"],
    ],
  ];
  for (const [title, spec, endpoints, internal, external] of rows) {
    const [port] = planService(service(spec), [slice(...endpoints)], "n1");
    assert.deepEqual([ips(port?.internal), ips(port?.external)], [internal, external], title);
  }
  assert.deepEqual(planService(service({ clusterIP: "None", clusterIPs: ["None"] }), [], "n1"), []);
  assert.deepEqual(planService(service({ type: "ExternalName" }), [], "n1"), []);
});

const options = { clusterCidr: "10.244.0.0/16" };
const rules = (
  spec: Partial<NonNullable<Service["spec"]>>,
  endpoints: Endpoint[],
  status?: Service["status"],
) => planRuleset(planService(service(spec, status), [slice(...endpoints)], "n1"), options);

test("a ruleset", () => {
  const set = rules(
    {
      type: "LoadBalancer",
      ports: [{ port: 80, nodePort: 30080, protocol: "TCP" }],
      loadBalancerSourceRanges: ["10.0.0.0/8"],
    },
    [{ ip: "10.244.1.2" }, { ip: "10.244.2.3", node: "n2" }],
    { loadBalancer: { ingress: [{ ip: "203.0.113.10", ipMode: "VIP" }] } },
  );
  const id = "default/app:";
  assert.deepEqual(Object.fromEntries(set.elements.services), {
    "10.96.0.5 . tcp . 80": `goto ${chainName("svc", id)}`,
    "203.0.113.10 . tcp . 80": `goto ${chainName("fw", id)}`,
  });
  assert.deepEqual(Object.fromEntries(set.elements.nodeports), {
    "tcp . 30080": `goto ${chainName("ext", id)}`,
  });
  assert.deepEqual(set.chains.get(chainName("svc", id)), [
    "ip saddr != 10.244.0.0/16 meta mark set meta mark or 0x4000",
    "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.1.2 . 4000, 1 : 10.244.2.3 . 4000 }",
  ]);
  assert.deepEqual(set.chains.get(chainName("fw", id)), [
    "ip saddr != { 10.0.0.0/8 } drop",
    `goto ${chainName("ext", id)}`,
  ]);
  assert.deepEqual([...set.elements.hairpin.keys()], ["10.244.1.2 . 10.244.1.2", "10.244.2.3 . 10.244.2.3"]);
});

test("no endpoints: refused; a Local policy without endpoints here: dropped", () => {
  assert.deepEqual(Object.fromEntries(rules({}, []).elements.refused), {
    "10.96.0.5 . tcp . 80": "goto reject_chain",
  });
  const local = rules(
    {
      type: "NodePort",
      externalTrafficPolicy: "Local",
      ports: [{ port: 80, nodePort: 30080, protocol: "TCP" }],
    },
    [{ ip: "10.244.2.3", node: "n2" }],
  );
  assert.deepEqual(Object.fromEntries(local.elements.refused_nodeports), { "tcp . 30080": "drop" });
});

test("a transaction holds only what changed, and nothing when nothing did", () => {
  const one = rules({}, [{ ip: "10.244.1.2" }]);
  const two = rules({}, [{ ip: "10.244.1.2" }, { ip: "10.244.1.3" }]);
  const none = planRuleset([], options);
  const chain = chainName("svc", "default/app:");
  assert.equal(diffRulesets("t", one, one), "");
  assert.deepEqual(diffRulesets("t", one, two).trim().split("\n"), [
    `flush chain ip t ${chain}`,
    `add rule ip t ${chain} ip saddr != 10.244.0.0/16 meta mark set meta mark or 0x4000`,
    `add rule ip t ${chain} meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.1.2 . 4000, 1 : 10.244.1.3 . 4000 }`,
    "add element ip t hairpin { 10.244.1.3 . 10.244.1.3 }",
  ]);
  assert.deepEqual(diffRulesets("t", one, none).trim().split("\n"), [
    "delete element ip t services { 10.96.0.5 . tcp . 80 }",
    "delete element ip t hairpin { 10.244.1.2 . 10.244.1.2 }",
    `flush chain ip t ${chain}`,
    `delete chain ip t ${chain}`,
  ]);
});
