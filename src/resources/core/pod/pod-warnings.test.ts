// Warnings about pods and templates: which fields, with which words, and when.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "#machinery/gen/types/core-v1.ts";
import { podWarnings, templateWarnings } from "./pod-warnings.ts";

const container = { name: "c", image: "i" };
const required = "requiredDuringSchedulingIgnoredDuringExecution";

const cases: readonly (readonly [name: string, spec: Partial<PodSpec>, ...warnings: string[]])[] = [
  ["nothing to say", { nodeSelector: { "kubernetes.io/os": "linux" } }],
  [
    "old labels of nodes",
    { nodeSelector: { "beta.kubernetes.io/os": "linux" } },
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
  ],
  [
    "old labels in an affinity",
    {
      affinity: {
        nodeAffinity: {
          [required]: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "beta.kubernetes.io/instance-type", operator: "Exists" }] },
            ],
          },
        },
      },
    },
    `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/instance-type is deprecated since v1.17; use "node.kubernetes.io/instance-type" instead`,
  ],
  [
    "old labels, and pods of no selector, in a spread",
    {
      topologySpreadConstraints: [
        {
          topologyKey: "failure-domain.beta.kubernetes.io/zone",
          maxSkew: 1,
          whenUnsatisfiable: "ScheduleAnyway",
        },
      ],
    },
    'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
  ],
  [
    "pods of no selector",
    { affinity: { podAntiAffinity: { [required]: [{ topologyKey: "a" }] } } },
    `spec.affinity.podAntiAffinity.${required}[0].labelSelector: a null labelSelector results in matching no pod`,
  ],
  [
    "volumes of old",
    { volumes: [{ name: "v", rbd: { image: "i", monitors: [] } } as never] },
    "spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+",
  ],
  [
    "secrets without a name, and twice",
    { imagePullSecrets: [{ name: "" }, { name: "a" }, { name: "a" }] },
    'spec.imagePullSecrets[0].name: invalid empty name ""',
    'spec.imagePullSecrets[2].name: duplicate name "a"',
  ],
  [
    "parts of bytes",
    { containers: [{ ...container, resources: { requests: { memory: "100m", cpu: "100m" } } }] },
    'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
  ],
  [
    "a variable twice",
    {
      containers: [
        {
          ...container,
          env: [
            { name: "A", value: "1" },
            { name: "A", value: "$(A) 2" },
            { name: "A", value: "3" },
          ],
        },
      ],
    },
    'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
  ],
];
for (const [name, spec, ...warnings] of cases)
  test(name, () =>
    assert.deepEqual(podWarnings(undefined, { containers: [container], ...spec }, ""), warnings),
  );

test("annotations that became fields", () => {
  const annotations = {
    "container.apparmor.security.beta.kubernetes.io/c": "unconfined",
    "seccomp.security.alpha.kubernetes.io/pod": "x",
    mine: "x",
  };
  assert.deepEqual(podWarnings(annotations, undefined, "spec.template"), [
    'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead',
    'spec.template.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
  ]);
});

test("a template is told of when it is new or may have changed", () => {
  const template = { spec: { containers: [], nodeSelector: { "beta.kubernetes.io/arch": "arm64" } } };
  const [first, second] = [{ metadata: { generation: 1 } }, { metadata: { generation: 2 } }];
  const told = (object: object, old?: object): number =>
    templateWarnings(template, "spec.template", object, old).length;
  assert.deepEqual([told(first), told(first, first), told(second, first)], [1, 0, 1]);
});
