import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { answer, type DnsRecord, type ZoneView } from "./records.ts";

const zone = "cluster.local";
const services: Record<string, Service> = {
  "default/web": {
    spec: {
      clusterIP: "10.96.0.5",
      clusterIPs: ["10.96.0.5"],
      ports: [{ name: "http", port: 80, protocol: "TCP" }],
    },
  },
  "default/db": {
    spec: { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "pg", port: 5432, protocol: "TCP" }] },
  },
  "default/out": { spec: { type: "ExternalName", externalName: "example.com" } },
  "default/empty": { spec: { clusterIP: "None", clusterIPs: ["None"] } },
};
const slices: Record<string, EndpointSlice[]> = {
  "default/db": [
    {
      addressType: "IPv4",
      ports: [{ name: "pg", port: 5432, protocol: "TCP" }],
      endpoints: [
        { addresses: ["10.244.1.2"], hostname: "db-0" },
        { addresses: ["10.244.1.3"] },
        { addresses: ["10.244.1.4"], conditions: { ready: false } },
      ],
    },
  ],
};
const view: ZoneView = {
  service: (namespace, name) => services[`${namespace}/${name}`],
  slices: (namespace, name) => slices[`${namespace}/${name}`] ?? [],
  namespaceExists: (namespace) => namespace === "default",
  serviceByIp: (ip) => (ip === "10.96.0.5" ? { namespace: "default", name: "web" } : undefined),
  endpointByIp: (ip) =>
    ip === "10.244.1.2" ? { namespace: "default", service: "db", hostname: "db-0" } : undefined,
};

const show = (record: DnsRecord): string =>
  record.type === "SRV"
    ? `SRV ${record.data.port} ${record.data.target}`
    : record.type === "SOA"
      ? "SOA"
      : `${record.type} ${record.data}`;

test("questions and their answers", () => {
  const rows: [string, string, string, string[]][] = [
    ["web.default.svc.cluster.local", "A", "NOERROR", ["A 10.96.0.5"]],
    ["web.default.svc.cluster.local", "AAAA", "NOERROR", []],
    ["web.default.svc.cluster.local", "SRV", "NOERROR", ["SRV 80 web.default.svc.cluster.local"]],
    ["_http._tcp.web.default.svc.cluster.local", "SRV", "NOERROR", ["SRV 80 web.default.svc.cluster.local"]],
    ["_http._udp.web.default.svc.cluster.local", "SRV", "NXDOMAIN", []],
    ["nothing.default.svc.cluster.local", "A", "NXDOMAIN", []],
    ["default.svc.cluster.local", "A", "NOERROR", []],
    ["nowhere.svc.cluster.local", "A", "NXDOMAIN", []],
    ["db.default.svc.cluster.local", "A", "NOERROR", ["A 10.244.1.2", "A 10.244.1.3"]],
    ["db-0.db.default.svc.cluster.local", "A", "NOERROR", ["A 10.244.1.2"]],
    ["10-244-1-3.db.default.svc.cluster.local", "A", "NOERROR", ["A 10.244.1.3"]],
    ["db-9.db.default.svc.cluster.local", "A", "NXDOMAIN", []],
    [
      "_pg._tcp.db.default.svc.cluster.local",
      "SRV",
      "NOERROR",
      ["SRV 5432 db-0.db.default.svc.cluster.local", "SRV 5432 10-244-1-3.db.default.svc.cluster.local"],
    ],
    ["empty.default.svc.cluster.local", "A", "NXDOMAIN", []],
    ["out.default.svc.cluster.local", "A", "NOERROR", ["CNAME example.com"]],
    ["10-244-1-9.default.pod.cluster.local", "A", "NOERROR", ["A 10.244.1.9"]],
    ["10-244-1-9.nowhere.pod.cluster.local", "A", "NXDOMAIN", []],
    ["10-244-1-999.default.pod.cluster.local", "A", "NXDOMAIN", []],
    ["dns-version.cluster.local", "TXT", "NOERROR", ["TXT 1.1.0"]],
    ["cluster.local", "SOA", "NOERROR", ["SOA"]],
    ["other.cluster.local", "A", "NXDOMAIN", []],
    ["5.0.96.10.in-addr.arpa", "PTR", "NOERROR", ["PTR web.default.svc.cluster.local"]],
    ["2.1.244.10.in-addr.arpa", "PTR", "NOERROR", ["PTR db-0.db.default.svc.cluster.local"]],
  ];
  for (const [name, type, rcode, records] of rows) {
    const got = answer(view, zone, name, type);
    assert.deepEqual([got?.rcode, got?.answers.map(show)], [rcode, records], `${type} ${name}`);
    if (records.length === 0) assert.deepEqual(got?.authorities.map(show), ["SOA"]);
  }
  assert.equal(answer(view, zone, "example.com", "A"), undefined);
  assert.equal(answer(view, zone, "notcluster.local", "A"), undefined);
  assert.equal(answer(view, zone, "9.9.9.9.in-addr.arpa", "PTR"), undefined);
});
