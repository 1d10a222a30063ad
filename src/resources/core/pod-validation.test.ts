import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, PodSpec } from "#machinery/gen/types/core-v1.ts";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import { validatePodSpec } from "./pod-validation.ts";

const base: Container = { name: "c", image: "i" };
const told = (spec: Partial<PodSpec>): string[] =>
  validatePodSpec({ containers: [base], ...spec }, "spec").map(fieldErrorMessage);
const container = (given: Partial<Container>): string[] => told({ containers: [{ ...base, ...given }] });
const first = "spec.containers[0]";
const term = (...matchExpressions: object[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: matchExpressions.length === 0 ? [] : [{ matchExpressions }],
      },
    },
  } as never,
});
const terms = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
const requirement = `${terms}[0].matchExpressions[0]`;

const containers: [string, Partial<Container>, string[]][] = [
  [
    "nothing is wrong",
    { resources: { limits: { cpu: "1", "example.com/gpu": "2", "hugepages-2Mi": "4Mi" } } },
    [],
  ],
  [
    "a resource of no standard",
    { resources: { limits: { cpus: "1" } } },
    [
      `${first}.resources.limits[cpus]: Invalid value: "cpus": must be a standard resource type or fully qualified`,
      `${first}.resources.limits[cpus]: Invalid value: "cpus": must be a standard resource for containers`,
    ],
  ],
  [
    "a standard resource of others",
    { resources: { requests: { storage: "1Gi" } } },
    [
      `${first}.resources.requests[storage]: Invalid value: "storage": must be a standard resource for containers`,
    ],
  ],
  [
    "two handlers",
    { livenessProbe: { exec: { command: ["a"] }, tcpSocket: { port: 1 } } },
    [`${first}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
  ],
  [
    "a scheme of its own",
    { readinessProbe: { httpGet: { path: "/", port: 1, scheme: "ftp" } } },
    [`${first}.readinessProbe.httpGet.scheme: Unsupported value: "ftp": supported values: "HTTP", "HTTPS"`],
  ],
  [
    "a header of two words",
    { readinessProbe: { httpGet: { path: "/", port: 1, httpHeaders: [{ name: "a b", value: "" }] } } },
    [
      `${first}.readinessProbe.httpGet.httpHeaders[0]: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
    ],
  ],
  [
    "a hook without a handler",
    { lifecycle: { preStop: {} } },
    [`${first}.lifecycle.preStop: Required value: must specify a handler type`],
  ],
  [
    "an environment from nowhere",
    { envFrom: [{}] },
    [`${first}.envFrom[0]: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``],
  ],
  [
    "an environment without a name",
    { envFrom: [{ secretRef: {} }] },
    [`${first}.envFrom[0].secretRef.name: Required value`],
  ],
  [
    "a user beyond all",
    { securityContext: { runAsUser: -1 } },
    [`${first}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive`],
  ],
  [
    "privileged, and no more privileges",
    { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
    [
      `${first}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
    ],
  ],
  [
    "a profile of its own kind",
    { securityContext: { seccompProfile: { type: "Mine" } } },
    [
      `${first}.securityContext.seccompProfile.type: Unsupported value: "Mine": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
    ],
  ],
  [
    "a local profile without its name",
    { securityContext: { seccompProfile: { type: "Localhost" } } },
    [
      `${first}.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost`,
    ],
  ],
];
for (const [name, given, want] of containers)
  test(`container: ${name}`, () => assert.deepEqual(container(given), want));

const volume = (source: object): Partial<PodSpec> => ({ volumes: [{ name: "v", ...source }] as never });
const pods: [string, Partial<PodSpec>, string[]][] = [
  [
    "an init container that is asked how it is",
    { initContainers: [{ ...base, name: "i", livenessProbe: { tcpSocket: { port: 1 } } }] },
    [
      "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ],
  ],
  [
    "a sidecar may be",
    {
      initContainers: [
        { ...base, name: "i", restartPolicy: "Always", livenessProbe: { tcpSocket: { port: 1 } } },
      ],
    },
    [],
  ],
  [
    "one port of the host twice",
    {
      containers: [
        {
          ...base,
          ports: [
            { containerPort: 1, hostPort: 9 },
            { containerPort: 2, hostPort: 9 },
          ],
        },
      ],
    },
    ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"'],
  ],
  [
    "the host's network under another number",
    { hostNetwork: true, containers: [{ ...base, ports: [{ containerPort: 1, hostPort: 2 }] }] },
    [
      "spec.containers[0].ports[0].containerPort: Invalid value: 1: must match `hostPort` when `hostNetwork` is true",
    ],
  ],
  [
    "no DNS at all",
    { dnsPolicy: "None" },
    ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
  ],
  [
    "a name server by name",
    { dnsConfig: { nameservers: ["dns"] } },
    [
      'spec.dnsConfig.nameservers[0]: Invalid value: "dns": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    "an alias of nothing",
    { hostAliases: [{ ip: "1.2.3", hostnames: ["a_b"] }] },
    [
      'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      `spec.hostAliases[0].hostnames: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
  ],
  [
    "a mode of four digits",
    volume({ secret: { secretName: "s", defaultMode: 0o7777 } }),
    [
      "spec.volumes[0].secret.defaultMode: Invalid value: 4095: must be a number between 0 and 0777 (octal), both inclusive",
    ],
  ],
  [
    "a file beside its volume",
    volume({ configMap: { name: "c", items: [{ key: "k", path: "../x" }] } }),
    [`spec.volumes[0].configMap.items[0].path: Invalid value: "../x": must not contain '..'`],
  ],
  [
    "a token that ends at once",
    volume({ projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 5 } }] } }),
    [
      "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
    ],
  ],
  [
    "a file of nothing",
    volume({ downwardAPI: { items: [{ path: "p" }] } }),
    [
      "spec.volumes[0].downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required",
    ],
  ],
  [
    "a path of the host that climbs",
    volume({ hostPath: { path: "/a/../b", type: "Folder" } }),
    [
      `spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      'spec.volumes[0].hostPath.type: Unsupported value: "Folder": supported values: "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    ],
  ],
  ["no term", term(), [`${terms}: Required value: must have at least one node selector term`]],
  [
    "In nothing",
    term({ key: "a", operator: "In" }),
    [`${requirement}.values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`],
  ],
  [
    "Exists with values",
    term({ key: "a", operator: "Exists", values: ["x"] }),
    [
      `${requirement}.values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
    ],
  ],
  [
    "more than two",
    term({ key: "a", operator: "Gt", values: ["1", "2"] }),
    [
      `${requirement}.values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
    ],
  ],
  [
    "an operator of its own",
    term({ key: "a", operator: "Like" }),
    [`${requirement}.operator: Invalid value: "Like": not a valid selector operator`],
  ],
  [
    "a skew of none",
    { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "z", whenUnsatisfiable: "Never" }] },
    [
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ],
  ],
  [
    "a switch of the kernel",
    {
      securityContext: {
        sysctls: [
          { name: "net.core.somaxconn", value: "1" },
          { name: "Bad!", value: "" },
        ],
      },
    },
    [
      'spec.securityContext.sysctls[1].name: Invalid value: "Bad!": must have at most 253 characters and match regex ^([a-z0-9][-_a-z0-9]*[./])*[a-z0-9][-_a-z0-9]*$',
    ],
  ],
];
for (const [name, given, want] of pods) test(`pod: ${name}`, () => assert.deepEqual(told(given), want));

test("a pod of another pod's affinity", () => {
  const podAffinity = {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 200, podAffinityTerm: { topologyKey: "" } }],
  };
  const path = "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
  const [weight, key] = told({ affinity: { podAffinity } });
  assert.equal(weight, `${path}.weight: Invalid value: 200: must be in the range 1-100`);
  assert.equal(key, `${path}.podAffinityTerm.topologyKey: Required value: can not be empty`);
});
