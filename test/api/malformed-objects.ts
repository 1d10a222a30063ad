// Well-formed bodies of objects that are not valid: names, metadata, and what each kind documents.

import {
  because,
  configMaps,
  controllers,
  named,
  pods,
  post,
  put,
  rbac,
  services,
  type Malformed,
} from "./malformed.ts";

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";
const meta = (name: string, metadata: object, ...says: [number, ...string[]]): Malformed =>
  post(`metadata: ${name}`, configMaps, named(metadata), ...says);
const owner = { apiVersion: "v1", kind: "ConfigMap", name: "a", uid: "1", controller: true };

const metadata: Malformed[] = [
  meta(
    "no name",
    {},
    422,
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  ),
  meta("upper case", { name: "Nginx" }, 422, `metadata.name: Invalid value: "Nginx": ${subdomain}`),
  meta("underscore", { name: "a_b" }, 422, `metadata.name: Invalid value: "a_b": ${subdomain}`),
  meta("trailing hyphen", { name: "a-" }, 422, "metadata.name: Invalid value"),
  meta("a slash", { name: "a/b" }, 422, "metadata.name: Invalid value"),
  meta("dots", { name: ".." }, 422, "metadata.name: Invalid value"),
  meta("too long", { name: "a".repeat(254) }, 422, "must be no more than 253 bytes"),
  meta(
    "bad prefix",
    { generateName: "Bad_" },
    422,
    `metadata.generateName: Invalid value: "Bad_": ${subdomain}`,
  ),
  meta(
    "another namespace",
    { name: "a", namespace: "other" },
    400,
    "the namespace of the provided object does not match the namespace sent on the request",
  ),
  meta(
    "a resource version",
    { name: "a", resourceVersion: "5" },
    400,
    "resourceVersion should not be set on objects to be created",
  ),
  meta(
    "label value",
    { name: "a", labels: { a: "b c" } },
    422,
    'metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of',
  ),
  meta(
    "long label value",
    { name: "a", labels: { a: "b".repeat(64) } },
    422,
    "metadata.labels: Invalid value",
    "must be no more than 63 bytes",
  ),
  meta(
    "label key",
    { name: "a", labels: { "a b": "" } },
    422,
    'metadata.labels: Invalid value: "a b": name part must consist of',
  ),
  meta(
    "label key with two slashes",
    { name: "a", labels: { "a/b/c": "" } },
    422,
    "a valid label key must consist of",
    "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  ),
  meta(
    "label key without its prefix",
    { name: "a", labels: { "/b": "" } },
    422,
    "prefix part must be non-empty",
  ),
  meta(
    "annotation key",
    { name: "a", annotations: { "a b": "" } },
    422,
    'metadata.annotations: Invalid value: "a b"',
  ),
  meta(
    "annotations too large",
    { name: "a", annotations: { a: "x".repeat(262_144) } },
    422,
    "metadata.annotations: Too long: may not be more than 262144 bytes",
  ),
  meta(
    "finalizer",
    { name: "a", finalizers: ["mine"] },
    422,
    'metadata.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ),
  meta(
    "two ways to finalize",
    { name: "a", finalizers: ["orphan", "foregroundDeletion"] },
    422,
    "metadata.finalizers: Invalid value",
    "finalizer orphan and foregroundDeletion cannot be both set",
  ),
  meta(
    "owner without a uid",
    { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "a" }] },
    422,
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  ),
  meta(
    "two controllers",
    { name: "a", ownerReferences: [owner, { ...owner, name: "b" }] },
    422,
    "metadata.ownerReferences: Invalid value",
    'Only one reference can have Controller set to true. Found "true" in references for ConfigMap/a and ConfigMap/b',
  ),
  post(
    "config key",
    configMaps,
    named({ name: "a" }, { data: { "a b": "" } }),
    422,
    'data[a b]: Invalid value: "a b": a valid config key must consist of',
  ),
  post(
    "config key that climbs",
    configMaps,
    named({ name: "a" }, { data: { "..": "" } }),
    422,
    "data[..]: Invalid value: \"..\": must not be '..'",
  ),
  post(
    "a key in data and binaryData",
    configMaps,
    named({ name: "a" }, { data: { a: "" }, binaryData: { a: "" } }),
    422,
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ),
  post(
    "over a megabyte of data",
    configMaps,
    named({ name: "a" }, { data: { a: "x".repeat(1024 * 1024 + 1) } }),
    422,
    "[]: Too long: may not be more than 1048576 bytes",
  ),
  post(
    "a namespace that is not there",
    configMaps.replace("default", "nowhere"),
    named({ name: "a" }),
    404,
    'namespaces "nowhere" not found',
  ),
  post(
    "a namespace with a dot",
    "/api/v1/namespaces",
    named({ name: "a.b" }),
    422,
    'metadata.name: Invalid value: "a.b": must not contain dots',
  ),
  because(
    "AlreadyExists",
    post(
      "a namespace that is there",
      "/api/v1/namespaces",
      named({ name: "default" }),
      409,
      'namespaces "default" already exists',
    ),
  ),
];

function service(spec: object, name = "a"): object {
  return { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
}
const svc = (name: string, spec: object, ...says: [number, ...string[]]): Malformed =>
  post(`service: ${name}`, services, service(spec), ...says);

const serviceRows: Malformed[] = [
  post(
    "service: name",
    services,
    service({}, "1a"),
    422,
    'metadata.name: Invalid value: "1a": a DNS-1035 label must consist of',
  ),
  svc("no ports", { ports: [] }, 422, 'Service "a" is invalid: spec.ports: Required value'),
  svc(
    "port 0",
    { ports: [{ port: 0 }] },
    422,
    "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
  ),
  svc(
    "two ports without names",
    { ports: [{ port: 1 }, { port: 2 }] },
    422,
    "spec.ports[0].name: Required value",
    "spec.ports[1].name: Required value",
  ),
  svc(
    "two ports of one name",
    {
      ports: [
        { name: "a", port: 1 },
        { name: "a", port: 2 },
      ],
    },
    422,
    'spec.ports[1].name: Duplicate value: "a"',
  ),
  svc(
    "type",
    { type: "Public" },
    422,
    'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ),
  svc("no external name", { type: "ExternalName" }, 422, "spec.externalName: Required value"),
  svc(
    "cluster IP that is none",
    { clusterIP: "ten" },
    422,
    'spec.clusterIPs[0]: Invalid value: "ten": must be a valid IP address',
  ),
  svc(
    "cluster IP outside the range",
    { clusterIP: "10.1.2.3" },
    422,
    'spec.clusterIPs: Invalid value: ["10.1.2.3"]: failed to allocate IP 10.1.2.3: the provided IP (10.1.2.3) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
  ),
  svc(
    "cluster IP that is taken",
    { clusterIP: "10.96.0.1" },
    422,
    'spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already allocated',
  ),
  svc(
    "node port outside the range",
    { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
    422,
    "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ),
  svc(
    "node port of a cluster IP",
    { ports: [{ port: 80, nodePort: 30_000 }] },
    422,
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ),
  svc(
    "publicIPs of the tutorial",
    { publicIPs: ["xxx.xxx.xxx.xxx"] },
    422,
    'spec.externalIPs[0]: Invalid value: "xxx.xxx.xxx.xxx": must be a valid IP address',
  ),
  svc(
    "external IP of the loopback",
    { externalIPs: ["127.0.0.1"] },
    422,
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range',
  ),
  svc(
    "session affinity",
    { sessionAffinity: "Sticky" },
    422,
    'spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"',
  ),
];

const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
const rc = (name: string, spec: object, ...says: [number, ...string[]]): Malformed =>
  post(`controller: ${name}`, controllers, named({ name: "a" }, { spec }), ...says);

const others: Malformed[] = [
  rc(
    "negative replicas",
    { replicas: -1, template },
    422,
    'ReplicationController "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ),
  rc(
    "selector of others",
    { selector: { a: "c" }, template },
    422,
    "spec.template.metadata.labels: Invalid value",
    "`selector` does not match template `labels`",
  ),
  rc("no template", { selector: { a: "c" } }, 422, "spec.template: Required value"),
  rc(
    "pods that end",
    { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
    422,
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ),
  post(
    "role without verbs",
    `${rbac}/clusterroles`,
    named({ name: "a" }, { rules: [{ resources: ["pods"], apiGroups: [""] }] }),
    422,
    "rules[0].verbs: Required value: verbs must contain at least one value",
  ),
  post(
    "binding to a robot",
    `${rbac}/clusterrolebindings`,
    named(
      { name: "a" },
      { roleRef: { kind: "ClusterRole", name: "view" }, subjects: [{ kind: "Robot", name: "r" }] },
    ),
    422,
    'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
  ),
  post(
    "lease of no time",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    named({ name: "a" }, { spec: { leaseDurationSeconds: 0 } }),
    422,
    "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
  ),
  put(
    "lease without its version",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases/held",
    named({ name: "held" }),
    422,
    'leases.coordination.k8s.io "held" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  ),
  post(
    "TLS secret without its key",
    "/api/v1/namespaces/default/secrets",
    named({ name: "a" }, { type: "kubernetes.io/tls", data: { "tls.crt": "" } }),
    422,
    "data[tls.key]: Required value",
  ),
  post(
    "slice without its type",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    named({ name: "a" }, { endpoints: [] }),
    422,
    "addressType: Required value",
  ),
  post(
    "taint of no effect",
    "/api/v1/nodes",
    named({ name: "a" }, { spec: { taints: [{ key: "a", effect: "Maybe" }] } }),
    422,
    'spec.taints[0].effect: Unsupported value: "Maybe": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ),
  post(
    "event of another namespace",
    "/api/v1/namespaces/default/events",
    named({ name: "a" }, { involvedObject: { namespace: "other" } }),
    422,
    "involvedObject.namespace: Invalid value",
    "does not match event.namespace",
  ),
  post(
    "token for five seconds",
    "/api/v1/namespaces/default/serviceaccounts/default/token",
    { spec: { expirationSeconds: 5 } },
    422,
    "spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
  ),
  post("binding to nothing", `${pods}/held/binding`, { target: {} }, 422, "target.name: Required value"),
];

export const malformedObjects = [...metadata, ...serviceRows, ...others];
