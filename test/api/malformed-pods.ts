// Pods that are not valid.

import { because, named, pods, post, type Malformed } from "./malformed.ts";

function pod(container: object, spec: object = {}): object {
  return {
    metadata: { name: "a" },
    spec: { containers: [{ name: "c", image: "i", ...container }], ...spec },
  };
}
const container = (name: string, given: object, ...says: [number, ...string[]]): Malformed =>
  post(`pod: ${name}`, pods, pod(given), ...says);
const podSpec = (name: string, spec: object, ...says: [number, ...string[]]): Malformed =>
  post(`pod: ${name}`, pods, pod({}, spec), ...says);

const first = "spec.containers[0].";
export const malformedPods: Malformed[] = [
  post(
    "a pod for a namespace that is not there",
    pods.replace("default", "nowhere"),
    pod({}),
    404,
    'namespaces "nowhere" not found',
  ),
  post(
    "pod: no containers",
    pods,
    named({ name: "a" }, { spec: {} }),
    422,
    'Pod "a" is invalid: spec.containers: Required value',
  ),
  container("no container name", { name: "" }, 422, `${first}name: Required value`),
  container(
    "container name",
    { name: "C_1" },
    422,
    `${first}name: Invalid value: "C_1": a lowercase RFC 1123 label`,
  ),
  container("no image", { image: "" }, 422, `${first}image: Required value`),
  container(
    "image with a space",
    { image: " i" },
    422,
    `${first}image: Invalid value: " i": must not have leading or trailing whitespace`,
  ),
  container(
    "pull policy",
    { imagePullPolicy: "Sometimes" },
    422,
    `${first}imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
  ),
  container(
    "port",
    { ports: [{ containerPort: 70_000 }] },
    422,
    `${first}ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
  ),
  container(
    "protocol",
    { ports: [{ containerPort: 1, protocol: "ICMP" }] },
    422,
    `${first}ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
  ),
  container(
    "port name",
    { ports: [{ containerPort: 1, name: "web_1" }] },
    422,
    `${first}ports[0].name: Invalid value: "web_1"`,
  ),
  container(
    "negative request",
    { resources: { requests: { cpu: "-1" } } },
    422,
    `${first}resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
  ),
  container(
    "request above the limit",
    { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
    422,
    `${first}resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ),
  container(
    "mount of nothing",
    { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    422,
    `${first}volumeMounts[0].name: Not found: "v"`,
  ),
  container(
    "env name",
    { env: [{ name: "A=B" }] },
    422,
    `${first}env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ),
  container(
    "env with two sources",
    { env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
    422,
    `${first}env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
  ),
  container(
    "env from a field that is none",
    { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.bogus" } } }] },
    422,
    `${first}env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.bogus": error converting fieldPath`,
  ),
  container(
    "empty probe",
    { livenessProbe: {} },
    422,
    `${first}livenessProbe: Required value: must specify a handler type`,
  ),
  container(
    "probe of port 0",
    { readinessProbe: { tcpSocket: { port: 0 } } },
    422,
    `${first}readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
  ),
  podSpec(
    "two containers of one name",
    {
      containers: [
        { name: "c", image: "i" },
        { name: "c", image: "i" },
      ],
    },
    422,
    'spec.containers[1].name: Duplicate value: "c"',
  ),
  podSpec(
    "restart policy",
    { restartPolicy: "Perhaps" },
    422,
    'spec.restartPolicy: Unsupported value: "Perhaps": supported values: "Always", "OnFailure", "Never"',
  ),
  podSpec(
    "DNS policy",
    { dnsPolicy: "Cluster" },
    422,
    'spec.dnsPolicy: Unsupported value: "Cluster": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"',
  ),
  podSpec(
    "volume of two kinds",
    { volumes: [{ name: "v", emptyDir: {}, configMap: { name: "a" } }] },
    422,
    "spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type",
  ),
  podSpec(
    "two volumes of one name",
    { volumes: [{ name: "v" }, { name: "v" }] },
    422,
    'spec.volumes[1].name: Duplicate value: "v"',
  ),
  podSpec("node selector", { nodeSelector: { "a b": "c" } }, 422, 'spec.nodeSelector: Invalid value: "a b"'),
  podSpec(
    "toleration",
    { tolerations: [{ operator: "Equal" }] },
    422,
    "spec.tolerations[0].operator: Invalid value",
    "operator must be Exists when `key` is empty",
  ),
  podSpec(
    "negative deadline",
    { activeDeadlineSeconds: 0 },
    422,
    "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
  ),
  podSpec("host name", { hostname: "a.b" }, 422, 'spec.hostname: Invalid value: "a.b"'),
  podSpec(
    "ephemeral containers from the start",
    { ephemeralContainers: [{ name: "e", image: "i" }] },
    422,
    "spec.ephemeralContainers: Forbidden: cannot be set on create",
  ),
  because(
    "Forbidden",
    podSpec(
      "an account that is not there",
      { serviceAccountName: "ghost" },
      403,
      'pods "a" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found',
    ),
  ),
];
