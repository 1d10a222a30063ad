import assert from "node:assert/strict";
import test from "node:test";
import type { ConfigMap, Container, Pod, Secret, Service } from "#machinery/gen/types/core-v1.ts";
import { containerEnvironment, linkedServices, serviceVariables } from "./environment.ts";
import { expand } from "./expansion.ts";

const facts = {
  nodeName: "n",
  hostIps: ["192.0.2.1"],
  podIps: ["10.0.0.2"],
  allocatable: { cpu: "4", memory: "1Gi" },
};
const pod: Pod = {
  metadata: { name: "p", namespace: "ns", uid: "u", labels: { a: "1" }, annotations: { "x/y": "z" } },
  spec: { containers: [], serviceAccountName: "sa", enableServiceLinks: false },
};
const configMaps = new Map<string, ConfigMap>([["cm", { data: { k: "v", "bad=key": "x" } }]]);
const secrets = new Map<string, Secret>([["s", { data: { k: Buffer.from("secret").toString("base64") } }]]);

function environment(container: Partial<Container>): Record<string, string> | string {
  const full = { name: "c", ...container };
  const { variables, problem } = containerEnvironment(
    { ...pod, spec: { ...pod.spec, containers: [full] } },
    full,
    { configMap: (name) => configMaps.get(name), secret: (name) => secrets.get(name), services: [] },
    facts,
  );
  return problem ?? Object.fromEntries(variables);
}

const field = (fieldPath: string): Partial<Container> => ({
  env: [{ name: "X", valueFrom: { fieldRef: { fieldPath } } }],
});
const resource = (name: string, divisor?: string): Partial<Container> => ({
  resources: { limits: { memory: "100Mi" }, requests: { cpu: "250m" } },
  env: [{ name: "X", valueFrom: { resourceFieldRef: { resource: name, ...(divisor ? { divisor } : {}) } } }],
});

const rows: [string, Partial<Container>, Record<string, string> | string][] = [
  ["plain", { env: [{ name: "A", value: "1" }] }, { A: "1" }],
  [
    "later variables see earlier ones",
    {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "$(A)2" },
      ],
    },
    { A: "1", B: "12" },
  ],
  [
    "not the other way round",
    {
      env: [
        { name: "B", value: "$(A)2" },
        { name: "A", value: "1" },
      ],
    },
    { B: "$(A)2", A: "1" },
  ],
  ["name", field("metadata.name"), { X: "p" }],
  ["one label", field("metadata.labels['a']"), { X: "1" }],
  ["a label that is not there", field("metadata.labels['constructor']"), { X: "" }],
  ["pod address", field("status.podIP"), { X: "10.0.0.2" }],
  ["host address", field("status.hostIP"), { X: "192.0.2.1" }],
  ["unknown field", field("spec.nope"), "unsupported fieldPath: spec.nope"],
  ["memory limit", resource("limits.memory"), { X: "104857600" }],
  ["in mebibytes", resource("limits.memory", "1Mi"), { X: "100" }],
  ["cpu request rounds up", resource("requests.cpu"), { X: "1" }],
  ["cpu request in milli", resource("requests.cpu", "1m"), { X: "250" }],
  ["without a limit: the node's", resource("limits.cpu"), { X: "4" }],
  [
    "config map key",
    { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "cm", key: "k" } } }] },
    { X: "v" },
  ],
  [
    "secret key",
    { env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
    { X: "secret" },
  ],
  [
    "missing map",
    { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "no", key: "k" } } }] },
    'configmap "no" not found',
  ],
  [
    "missing key",
    { env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "no" } } }] },
    "couldn't find key no in Secret ns/s",
  ],
  [
    "inherited names are no keys",
    { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "cm", key: "toString" } } }] },
    "couldn't find key toString in ConfigMap ns/cm",
  ],
  [
    "optional",
    { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "no", key: "k", optional: true } } }] },
    {},
  ],
  [
    "all of a map, env wins",
    { envFrom: [{ prefix: "P_", configMapRef: { name: "cm" } }], env: [{ name: "P_k", value: "own" }] },
    { P_k: "own" },
  ],
];

for (const [title, container, expected] of rows)
  test(title, () => assert.deepEqual(environment(container), expected));

test("keys that cannot be variables are skipped and told", () => {
  const container = { name: "c", envFrom: [{ configMapRef: { name: "cm" } }] };
  const { skipped } = containerEnvironment(
    pod,
    container,
    { configMap: (name) => configMaps.get(name), secret: () => undefined, services: [] },
    facts,
  );
  assert.deepEqual(skipped, [{ source: "ConfigMap cm", keys: ["bad=key"] }]);
});

const service = (namespace: string, name: string, spec: Service["spec"]): Service => ({
  metadata: { namespace, name },
  spec,
});

test("service variables", () => {
  const variables = serviceVariables([
    service("ns", "my-db", {
      clusterIP: "10.96.0.7",
      ports: [
        { port: 5432, name: "pg" },
        { port: 53, protocol: "UDP" },
      ],
    }),
    service("ns", "headless", { clusterIP: "None", ports: [{ port: 1 }] }),
  ]);
  assert.deepEqual(Object.fromEntries(variables), {
    MY_DB_SERVICE_HOST: "10.96.0.7",
    MY_DB_SERVICE_PORT: "5432",
    MY_DB_SERVICE_PORT_PG: "5432",
    MY_DB_PORT: "tcp://10.96.0.7:5432",
    MY_DB_PORT_5432_TCP: "tcp://10.96.0.7:5432",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432",
    MY_DB_PORT_5432_TCP_ADDR: "10.96.0.7",
    MY_DB_PORT_53_UDP: "udp://10.96.0.7:53",
    MY_DB_PORT_53_UDP_PROTO: "udp",
    MY_DB_PORT_53_UDP_PORT: "53",
    MY_DB_PORT_53_UDP_ADDR: "10.96.0.7",
  });
});

test("links name services of the own namespace, and the API server always", () => {
  const services = [service("default", "kubernetes", {}), service("ns", "a", {}), service("other", "b", {})];
  const names = (links: boolean): (string | undefined)[] =>
    linkedServices({ ...pod, spec: { containers: [], enableServiceLinks: links } }, services).map(
      ({ metadata }) => metadata?.name,
    );
  assert.deepEqual(names(true), ["kubernetes", "a"]);
  assert.deepEqual(names(false), ["kubernetes"]);
});

const expansions: [string, string][] = [
  ["$(A)", "1"],
  ["x$(A)y$(A)", "x1y1"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$(B)", "$(B)"],
  ["$(A", "$(A"],
  ["$A $", "$A $"],
  ["", ""],
];
for (const [text, expected] of expansions)
  test(`expands ${JSON.stringify(text)}`, () =>
    assert.equal(
      expand(text, (name) => (name === "A" ? "1" : undefined)),
      expected,
    ));
