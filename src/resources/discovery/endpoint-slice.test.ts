import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointPort, EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { kindTable, tableChecker, type Change } from "../kind-table.ts";
import { endpointSlice } from "./endpoint-slice.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const kind = kindTable<EndpointSlice>(endpointSlice, {
  metadata: { name: "x", namespace: "default", creationTimestamp: "2020-01-01T00:00:00Z" },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"] }],
  ports: [{ port: 80 }],
});
const endpoint =
  (given: Partial<Endpoint>): Change<EndpointSlice> =>
  (object) =>
    (object.endpoints = [{ addresses: ["10.0.0.1"], ...given }]);
const ports =
  (...all: EndpointPort[]): Change<EndpointSlice> =>
  (object) =>
    (object.ports = all);
const typed =
  (addressType: string, ...addresses: string[]): Change<EndpointSlice> =>
  (object) =>
    Object.assign(object, { addressType, endpoints: [{ addresses }] });
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

checkTable("EndpointSlice", kind, {
  create: [
    ["nothing is wrong", () => undefined],
    ["no type, and another", typed("", "a"), "addressType: Required value"],
    [
      "another type",
      typed("MAC", "a"),
      'addressType: Unsupported value: "MAC": supported values: "FQDN", "IPv4", "IPv6"',
    ],
    ["names", typed("FQDN", "a.example.com", "b.example.com.")],
    [
      "a name of one label",
      typed("FQDN", "a"),
      'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
    ],
    [
      "addresses of the other family",
      typed("IPv6", "2001:db8::1", "10.0.0.1"),
      'endpoints[0].addresses[1]: Invalid value: "10.0.0.1": must be a valid IPv6 address',
    ],
    [
      "addresses of every machine",
      endpoint({ addresses: ["127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1"] }),
      'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[0].addresses[1]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0 or ::)',
      'endpoints[0].addresses[2]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'endpoints[0].addresses[3]: Invalid value: "224.0.0.1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    ],
    [
      "no address",
      endpoint({ addresses: [] }),
      "endpoints[0].addresses: Required value: must contain at least 1 address",
    ],
    ["a bad host", endpoint({ hostname: "A" }), `endpoints[0].hostname: Invalid value: "A": ${label}`],
    [
      "hints",
      endpoint({ hints: { forZones: [{ name: "a" }, { name: "a" }] } }),
      'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
    ],
    [
      "ports",
      ports({ name: "a", port: 0 }, { name: "a", protocol: "ICMP" }, { name: "A" }),
      "ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
      'ports[1].name: Duplicate value: "a"',
      'ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      `ports[2].name: Invalid value: "A": ${label}`,
    ],
    [
      "too many endpoints",
      (object) => (object.endpoints = Array.from({ length: 1001 }, () => ({ addresses: ["10.0.0.1"] }))),
      "endpoints: Too many: 1001: must have at most 1000 items",
    ],
  ],
  update: [
    ["other endpoints", endpoint({ addresses: ["10.0.0.2"] })],
    ["another type", typed("IPv6", "2001:db8::1"), 'addressType: Invalid value: "IPv6": field is immutable'],
  ],
});

test("EndpointSlice: defaults and row", () => {
  assert.deepEqual(kind.created().ports, [{ port: 80, name: "", protocol: "TCP" }]);
  assert.deepEqual(kind.row(), ["x", "IPv4", "80", "10.0.0.1", "24h"]);
  const many = ["1", "2", "3", "4", "5"].map((last) => `10.0.0.${last}`);
  assert.equal(kind.row(endpoint({ addresses: many }))[3], "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...");
});
