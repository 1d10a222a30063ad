// What is a valid Service, what of it an update may change, and what it keeps of what the server chose.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import { kindTable, tableChecker } from "../kind-table.ts";
import { service } from "./service.ts";

const table = kindTable<Service>(service, {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default" },
  spec: {
    clusterIP: "10.96.0.9",
    clusterIPs: ["10.96.0.9"],
    ports: [{ port: 80, name: "http" }],
    selector: { app: "web" },
  },
});
const spec = (object: Service): NonNullable<Service["spec"]> => (object.spec ??= {});
const set = (fields: NonNullable<Service["spec"]>) => (object: Service) =>
  Object.assign(spec(object), fields);
const without =
  (...fields: (keyof NonNullable<Service["spec"]>)[]) =>
  (object: Service) => {
    for (const field of fields) delete spec(object)[field];
  };
const checkRows = tableChecker(
  (title, told, causes) => void test(title, () => assert.deepEqual(told(), causes)),
);
const notAnIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const balancersOnly = "may only be used when `type` is 'LoadBalancer'";

checkRows("Service", table, {
  create: [
    ["nothing is wrong", () => undefined],
    ["no ports", set({ ports: [] }), "spec.ports: Required value"],
    ["no ports, headless", set({ ports: [], clusterIP: "None", clusterIPs: ["None"] })],
    [
      "another type",
      set({ type: "Public" }),
      'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      "two ports without names",
      set({ ports: [{ port: 80 }, { port: 81 }] }),
      "spec.ports[0].name: Required value",
      "spec.ports[1].name: Required value",
    ],
    [
      "the same port by two names, and one name twice",
      set({
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 80 },
          { name: "b", port: 81 },
        ],
      }),
      'spec.ports[1]: Duplicate value: {"name":"b","port":80,"protocol":"TCP","targetPort":80}',
      'spec.ports[2].name: Duplicate value: "b"',
    ],
    [
      "the same number by two protocols",
      set({
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 80, protocol: "UDP" },
        ],
      }),
    ],
    [
      "a port out of range",
      set({ ports: [{ port: 65536, targetPort: 80 }] }),
      "spec.ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive",
    ],
    [
      "a target port's name with capitals",
      set({ ports: [{ port: 80, targetPort: "WWW" }] }),
      `spec.ports[0].targetPort: Invalid value: "WWW": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
      `spec.ports[0].targetPort: Invalid value: "WWW": must contain at least one letter (a-z)`,
    ],
    [
      "a node port inside of the cluster",
      set({ ports: [{ port: 80, nodePort: 30080 }] }),
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      "headless, and the port changes on the way",
      set({ clusterIP: "None", clusterIPs: ["None"], ports: [{ port: 80, targetPort: 8080 }] }),
      "spec.ports[0].targetPort: Invalid value: 8080: must be equal to the value of 'port' when clusterIP = None",
    ],
    [
      "headless, with ports of the nodes",
      set({ type: "NodePort", clusterIP: "None", clusterIPs: ["None"] }),
      `spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`,
    ],
    [
      "addresses that are none",
      set({ externalIPs: ["xxx.xxx.xxx.xxx", "127.0.0.1"] }),
      `spec.externalIPs[0]: Invalid value: "xxx.xxx.xxx.xxx": ${notAnIp}`,
      `spec.externalIPs[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
    ],
    [
      "two first addresses",
      set({ clusterIP: "10.96.0.10" }),
      `spec.clusterIPs: Invalid value: ["10.96.0.9"]: first value must match \`clusterIP\``,
    ],
    [
      "an affinity for longer than a day",
      set({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } }),
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
    ],
    [
      "fields of a load balancer",
      set({
        loadBalancerClass: "a.b/c",
        allocateLoadBalancerNodePorts: true,
        loadBalancerSourceRanges: ["10.0.0.0/8"],
      }),
      `spec.loadBalancerSourceRanges: Forbidden: ${balancersOnly}`,
      `spec.loadBalancerClass: Forbidden: ${balancersOnly}`,
      `spec.allocateLoadBalancerNodePorts: Forbidden: ${balancersOnly}`,
    ],
    [
      "a range that is none",
      set({ type: "LoadBalancer", loadBalancerSourceRanges: ["10.0.0.0/8", "10.0.0.0"] }),
      `spec.loadBalancerSourceRanges[1]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
    ],
    [
      "traffic from outside that cannot be",
      set({ externalTrafficPolicy: "Local", healthCheckNodePort: 30_000 }),
      `spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services`,
      "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
    [
      "words that no field has",
      set({ internalTrafficPolicy: "Near", trafficDistribution: "Far", sessionAffinity: "Cookie" }),
      `spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"`,
      `spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"`,
      `spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"`,
    ],
    [
      "another family",
      set({ ipFamilies: ["IPv6"] }),
      `spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster`,
    ],
    [
      "a name outside without the name",
      set({ type: "ExternalName" }),
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
      "spec.externalName: Required value",
    ],
  ],
  update: [
    ["nothing", () => undefined],
    [
      "another address",
      set({ clusterIP: "10.96.0.10" }),
      `spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set`,
    ],
    ["no address: it is kept", without("clusterIP", "clusterIPs")],
    ["a name outside instead", set({ type: "ExternalName", externalName: "example.com" })],
    ["a port of the nodes", set({ type: "NodePort" })],
  ],
  status: [
    [
      "an address of a load balancer that there is none of",
      (object) => (object.status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } }),
      `status.loadBalancer.ingress: Forbidden: may only be used when \`spec.type\` is "LoadBalancer"`,
    ],
    [
      "addresses that are none",
      (object) => {
        spec(object).type = "LoadBalancer";
        object.status = {
          loadBalancer: { ingress: [{ ip: "here" }, { hostname: "192.0.2.1" }, { ip: "192.0.2.1" }] },
        };
      },
      `status.loadBalancer.ingress[0].ip: Invalid value: "here": ${notAnIp}`,
      `status.loadBalancer.ingress[1].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address`,
    ],
  ],
});

test("Service: an update keeps what the server chose, and drops what the new type does not have", () => {
  const balancer = kindTable<Service>(service, {
    ...table.created(),
    spec: {
      ...table.created().spec,
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 30_001,
      ports: [{ port: 80, nodePort: 30_080, protocol: "TCP" }],
    },
  });
  const kept = balancer.updated((object) => {
    without("clusterIP", "clusterIPs", "healthCheckNodePort")(object);
    spec(object).ports = [{ port: 80 }, { port: 81, name: "more" }];
  });
  assert.equal(kept.spec?.clusterIP, "10.96.0.9");
  assert.deepEqual(kept.spec?.clusterIPs, ["10.96.0.9"]);
  assert.equal(kept.spec?.healthCheckNodePort, 30_001);
  assert.deepEqual(
    kept.spec?.ports?.map(({ nodePort }) => nodePort),
    [30_080, undefined],
  );

  const inside = balancer.updated(set({ type: "ClusterIP" })).spec ?? {};
  assert.equal(inside.clusterIP, "10.96.0.9");
  for (const field of [
    "healthCheckNodePort",
    "externalTrafficPolicy",
    "allocateLoadBalancerNodePorts",
  ] as const)
    assert.equal(inside[field], undefined, field);
  assert.equal(inside.ports?.[0]?.nodePort, undefined);

  const outside = balancer.updated(set({ type: "ExternalName", externalName: "example.com" })).spec ?? {};
  for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] as const)
    assert.equal(outside[field], undefined, field);
});
