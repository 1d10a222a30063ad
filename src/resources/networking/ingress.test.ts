import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress, IngressBackend } from "#machinery/gen/types/networking-v1.ts";
import { kindTable, type Change } from "../kind-table.ts";
import { ingress } from "./ingress.ts";

const backend: IngressBackend = { service: { name: "web", port: { number: 80 } } };
const kind = kindTable<Ingress>(ingress, {
  metadata: { name: "x", namespace: "default", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: {
    ingressClassName: "nginx",
    tls: [{ hosts: ["a.example.com", "*.example.com"], secretName: "tls" }],
    rules: [{ host: "a.example.com", http: { paths: [{ path: "/a", pathType: "Prefix", backend }] } }],
  },
});
const withBackend =
  (one: IngressBackend): Change<Ingress> =>
  ({ spec }) => {
    if (spec !== undefined) spec.defaultBackend = one;
  };
const withPath =
  (path: string, pathType: string): Change<Ingress> =>
  ({ spec }) => {
    const [first] = spec?.rules?.[0]?.http?.paths ?? [];
    if (first !== undefined) Object.assign(first, { path, pathType });
  };
const withHost =
  (host: string): Change<Ingress> =>
  ({ spec }) => {
    const [first] = spec?.rules ?? [];
    if (first !== undefined) first.host = host;
  };
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const wildcard =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const firstPath = "spec.rules[0].http.paths[0]";

const cases: [string, Change<Ingress>, string[]][] = [
  ["nothing is wrong", () => undefined, []],
  [
    "nothing to do",
    (object) => (object.spec = {}),
    ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"],
  ],
  ["a wildcard host", withHost("*.example.com"), []],
  ["a bad wildcard", withHost("a.*.com"), [`spec.rules[0].host: Invalid value: "a.*.com": ${wildcard}`]],
  ["a bad host", withHost("A"), [`spec.rules[0].host: Invalid value: "A": ${subdomain}`]],
  [
    "an address as host",
    withHost("1.2.3.4"),
    ['spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
  ],
  [
    "no paths",
    ({ spec }) => (spec!.rules = [{ http: { paths: [] } }]),
    ["spec.rules[0].http.paths: Required value"],
  ],
  [
    "a relative path",
    withPath("a", "Exact"),
    [`${firstPath}.path: Invalid value: "a": must be an absolute path`],
  ],
  [
    "a path that goes up",
    withPath("/a/../b//c/..", "Prefix"),
    ["must not contain '//'", "must not contain '/../'", "cannot end with '/..'"].map(
      (why) => `${firstPath}.path: Invalid value: "/a/../b//c/..": ${why}`,
    ),
  ],
  ["anything goes", withPath("/a/../b", "ImplementationSpecific"), []],
  [
    "an unknown type",
    withPath("/a", "Regex"),
    [
      `${firstPath}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
  ],
  [
    "no type",
    ({ spec }) => (spec!.rules = [{ http: { paths: [{ path: "/", backend } as never] } }]),
    [`${firstPath}.pathType: Required value: pathType must be specified`],
  ],
  [
    "an empty backend",
    withBackend({}),
    ['spec.defaultBackend: Invalid value: "": resource or service backend is required'],
  ],
  [
    "two backends",
    withBackend({ ...backend, resource: { kind: "a", name: "b" } }),
    ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
  ],
  [
    "a backend without a port",
    withBackend({ service: { name: "a" } }),
    ["spec.defaultBackend: Required value: port name or number is required"],
  ],
  [
    "two ports and no name",
    withBackend({ service: { name: "", port: { name: "a", number: 1 } } }),
    [
      "spec.defaultBackend.service.name: Required value",
      'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
    ],
  ],
  [
    "a port too high",
    withBackend({ service: { name: "a", port: { number: 70000 } } }),
    ["spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"],
  ],
  [
    "half a resource",
    withBackend({ resource: { apiGroup: "A", kind: "", name: "a/b" } }),
    [
      `spec.defaultBackend.resource.apiGroup: Invalid value: "A": ${subdomain}`,
      "spec.defaultBackend.resource.kind: Required value: kind is required",
      `spec.defaultBackend.resource.name: Invalid value: "a/b": may not contain '/'`,
    ],
  ],
  [
    "bad TLS",
    ({ spec }) => (spec!.tls = [{ hosts: ["*"], secretName: "A" }]),
    [
      `spec.tls[0].hosts[0]: Invalid value: "*": ${wildcard}`,
      `spec.tls[0].secretName: Invalid value: "A": ${subdomain}`,
    ],
  ],
  [
    "a bad class",
    ({ spec }) => (spec!.ingressClassName = "A"),
    [`spec.ingressClassName: Invalid value: "A": ${subdomain}`],
  ],
  [
    "a class said twice",
    ({ metadata }) => (metadata!.annotations = { "kubernetes.io/ingress.class": "nginx" }),
    [
      'annotations.kubernetes.io/ingress.class: Invalid value: "nginx": can not be set when the class field is also set',
    ],
  ],
];
for (const [title, change, causes] of cases)
  test(`Ingress: ${title}`, () => assert.deepEqual(kind.onCreate(change), causes));

test("Ingress: the status is not set by whoever writes the object", () => {
  const status = { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } };
  const set: Change<Ingress> = (object) => (object.status = status);
  assert.deepEqual(kind.created(set).status, { loadBalancer: {} });
  assert.deepEqual(kind.updated(set).status, { loadBalancer: {} });
});

test("Ingress: the status has addresses and names", () => {
  const told = kind.onStatus((object) => {
    object.status = { loadBalancer: { ingress: [{ ip: "a" }, { hostname: "A" }, { hostname: "1.2.3.4" }] } };
  });
  const at = "status.loadBalancer.ingress";
  assert.deepEqual(told, [
    `${at}[0].ip: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`,
    `${at}[1].hostname: Invalid value: "A": ${subdomain}`,
    `${at}[2].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address`,
  ]);
});

test("Ingress: the old annotation still works, with a warning", () => {
  const change: Change<Ingress> = ({ metadata, spec }) => {
    metadata!.annotations = { "kubernetes.io/ingress.class": "nginx" };
    delete spec!.ingressClassName;
  };
  assert.deepEqual(kind.onCreate(change), []);
  assert.deepEqual(kind.warnings(change), [
    `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
  ]);
});

test("Ingress: its row", () => {
  assert.deepEqual(kind.row(), ["x", "nginx", "a.example.com", "", "80, 443", "24h"]);
  const hosts = (...all: string[]): unknown =>
    kind.row(({ spec }) => {
      spec!.rules = all.map((host) => ({ host }));
      spec!.tls = [];
    })[2];
  assert.equal(hosts(), "*");
  assert.equal(hosts("a", "b", "c"), "a,b,c");
  assert.equal(hosts("a", "b", "c", "d", "e"), "a,b,c + 2 more...");
});
