// One full valid object of each kind that clients write, with the path of its collection.

import { coreSamples } from "./samples-core.ts";
import { admission } from "./samples-admission.ts";
import { networking } from "./samples-networking.ts";
import { devices } from "./samples-devices.ts";
import { system } from "./samples-system.ts";
import { storage } from "./samples-storage.ts";

const core = "/api/v1/namespaces/default";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const time = "2020-01-01T00:00:00Z";
const metadata = { name: "x" };
const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };

const pod = {
  metadata: {
    name: "x",
    labels: { a: "b" },
    annotations: { c: "d" },
    finalizers: ["a.b/c"],
    ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "n", uid: "u", controller: true }],
  },
  spec: {
    schedulerName: "none",
    nodeSelector: { a: "b" },
    tolerations: [{ key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] }],
        },
      },
    },
    initContainers: [{ name: "i", image: "i" }],
    volumes: [
      { name: "v", emptyDir: { sizeLimit: "1Gi" } },
      { name: "w", projected: { sources: [{ secret: { name: "s" } }] } },
      { name: "c", configMap: { name: "c", items: [{ key: "k", path: "p" }] } },
    ],
    containers: [
      {
        name: "c",
        image: "i:1",
        command: ["a"],
        env: [
          { name: "A", value: "b" },
          { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
        ],
        envFrom: [{ configMapRef: { name: "c" } }],
        ports: [{ name: "http", containerPort: 80, protocol: "TCP", hostPort: 80 }],
        resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } },
        livenessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 5 },
        lifecycle: { preStop: { exec: { command: ["x"] } } },
        volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a" }],
        securityContext: { runAsUser: 1, capabilities: { add: ["A"] } },
      },
    ],
    securityContext: { fsGroup: 1, sysctls: [{ name: "a", value: "b" }] },
    dnsConfig: { nameservers: ["1.1.1.1"], options: [{ name: "a", value: "b" }] },
    hostAliases: [{ ip: "1.1.1.1", hostnames: ["a"] }],
    readinessGates: [{ conditionType: "a" }],
  },
};

const service = {
  metadata,
  spec: {
    type: "LoadBalancer",
    clusterIP: "10.96.3.3",
    clusterIPs: ["10.96.3.3"],
    ports: [{ name: "a", port: 80, targetPort: "http", nodePort: 31111, protocol: "TCP" }],
    selector: { a: "b" },
    externalIPs: ["1.2.3.4"],
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
    externalTrafficPolicy: "Local",
    loadBalancerSourceRanges: ["1.2.3.0/24"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
  },
};

const event = {
  metadata,
  involvedObject: { kind: "Pod", namespace: "default", name: "x" },
  reason: "R",
  message: "m",
  type: "Normal",
  count: 1,
  firstTimestamp: time,
  lastTimestamp: time,
  source: { component: "c", host: "h" },
  series: { count: 1, lastObservedTime: "2020-01-01T00:00:00.000000Z" },
};

const node = {
  metadata: { name: "x", labels: { a: "b" } },
  spec: { podCIDR: "10.1.0.0/24", taints: [{ key: "a", effect: "NoSchedule", timeAdded: time }] },
  status: { capacity: { cpu: "4" }, addresses: [{ type: "InternalIP", address: "1.2.3.4" }] },
};

const slice = {
  metadata,
  addressType: "IPv4",
  endpoints: [{ addresses: ["1.2.3.4"], conditions: { ready: true }, nodeName: "n" }],
  ports: [{ name: "a", port: 80, protocol: "TCP" }],
};

export const samples: readonly (readonly [collection: string, object: object])[] = [
  [`${core}/pods`, pod],
  [
    `${core}/replicationcontrollers`,
    { metadata: { name: "x", labels: { a: "b" } }, spec: { replicas: 0, template } },
  ],
  [`${core}/services`, service],
  [`${core}/configmaps`, { metadata, data: { a: "b" }, binaryData: { c: "aGk=" }, immutable: false }],
  [`${core}/secrets`, { metadata, type: "Opaque", data: { b: "aGk=" }, stringData: { a: "c" } }],
  [
    `${core}/endpoints`,
    { metadata, subsets: [{ addresses: [{ ip: "1.2.3.4" }], ports: [{ name: "a", port: 80 }] }] },
  ],
  [`${core}/events`, event],
  [`${core}/serviceaccounts`, { metadata, secrets: [{ name: "a" }], imagePullSecrets: [{ name: "b" }] }],
  ["/api/v1/nodes", node],
  [
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    { metadata, spec: { holderIdentity: "a", leaseDurationSeconds: 5, leaseTransitions: 1 } },
  ],
  ["/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice],
  [
    `${rbac}/clusterroles`,
    {
      metadata,
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: ["a"] }],
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
    },
  ],
  [
    `${rbac}/clusterrolebindings`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [
        { kind: "User", name: "a" },
        { kind: "ServiceAccount", name: "a", namespace: "b" },
      ],
    },
  ],
  [
    `${rbac}/namespaces/default/roles`,
    { metadata, rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
  ],
  [
    `${rbac}/namespaces/default/rolebindings`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "view" },
      subjects: [{ kind: "Group", name: "a" }],
    },
  ],
  ...coreSamples,
  ...networking,
  ...storage,
  ...admission,
  ...system,
  ...devices,
];
