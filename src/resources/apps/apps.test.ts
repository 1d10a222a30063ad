// Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision: what is refused and why, defaults, rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { controllerRevision } from "./controller-revision.ts";
import { daemonSet } from "./daemon-set.ts";
import { deployment } from "./deployment.ts";
import { replicaSet } from "./replica-set.ts";
import { statefulSet } from "./stateful-set.ts";

const template = {
  metadata: { labels: { app: "a" } },
  spec: { containers: [{ name: "c", image: "i:1" }] },
};
const workload = {
  metadata: { name: "w", namespace: "default" },
  spec: { selector: { matchLabels: { app: "a" } }, template },
};
const selector = JSON.stringify({ matchLabels: { app: "b" } });

type Row = readonly [name: string, path: string, value: unknown, ...errors: string[]];

function table<T extends KubeObject>(definition: ResourceDefinition<T>, rows: readonly Row[]): void {
  const { kind } = definition;
  test(`${kind}: valid`, () => assert.deepEqual(refused(definition, workload), []));
  for (const [name, path, value, ...errors] of rows)
    test(`${kind}: ${name}`, () =>
      assert.deepEqual(refused(definition, withField(workload, path, value)), errors));
}

const noMatch =
  'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`';
const shared = (kind: string, empty: string, broken?: string): Row[] => [
  ["a selector for others", "spec.selector", { matchLabels: { app: "b" } }, noMatch],
  [
    "an empty selector",
    "spec.selector",
    {},
    `spec.selector: Invalid value: {}: empty selector is invalid for ${empty}`,
  ],
  [
    "a selector that is none",
    "spec.selector",
    { matchExpressions: [{ key: "a", operator: "In" }] },
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ...(broken === undefined
      ? []
      : [
          `spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"In"}]}${broken && `: ${broken}`}`,
        ]),
  ],
  ["no selector", "spec.selector", undefined, "spec.selector: Required value", noMatch],
  [
    "a template without labels",
    "spec.template.metadata",
    {},
    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
  ],
  [
    "too little time",
    "spec.minReadySeconds",
    -1,
    "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
  ],
  ["no containers", "spec.template.spec.containers", [], "spec.template.spec.containers: Required value"],
  [
    "a template that is not restarted",
    "spec.template.spec.restartPolicy",
    "OnFailure",
    'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
  ],
  [
    "a template that ends",
    "spec.template.spec.activeDeadlineSeconds",
    5,
    `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${kind} is not Supported`,
  ],
];

table(deployment, [
  ...shared("ReplicaSet", "deployment", "invalid label selector"),
  [
    "fewer than none",
    "spec.replicas",
    -1,
    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "an unknown strategy",
    "spec.strategy",
    { type: "Slow" },
    'spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
  ],
  [
    "limits that do not roll",
    "spec.strategy",
    { type: "Recreate", rollingUpdate: {} },
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ],
  [
    "no way forward",
    "spec.strategy",
    { rollingUpdate: { maxUnavailable: 0, maxSurge: "0%" } },
    "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
  ],
  [
    "more than all",
    "spec.strategy",
    { rollingUpdate: { maxUnavailable: "101%" } },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    "no percentage",
    "spec.strategy",
    { rollingUpdate: { maxSurge: "many" } },
    `spec.strategy.rollingUpdate.maxSurge: Invalid value: "many": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
  ],
  [
    "a deadline before it can be met",
    "spec.minReadySeconds",
    600,
    "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
  ],
]);
table(replicaSet, shared("ReplicaSet", "deployment", "invalid label selector"));
table(daemonSet, [
  ...shared("DaemonSet", "daemonset"),
  [
    "an unknown strategy",
    "spec.updateStrategy",
    { type: "Recreate" },
    'spec.updateStrategy: Unsupported value: {"Type":"Recreate","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
  ],
  [
    "both ways at once",
    "spec.updateStrategy",
    { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
    "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
  ],
  [
    "neither way",
    "spec.updateStrategy",
    { rollingUpdate: { maxUnavailable: 0 } },
    "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
  ],
]);
table(statefulSet, [
  ...shared("StatefulSet", "statefulset", ""),
  [
    "a service that could not be",
    "spec.serviceName",
    "a.b",
    'spec.serviceName: Invalid value: "a.b": must not contain dots',
  ],
  [
    "none away at a time",
    "spec.updateStrategy",
    { rollingUpdate: { maxUnavailable: "0%" } },
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0',
  ],
  [
    "an unknown order",
    "spec.podManagementPolicy",
    "Any",
    `spec.podManagementPolicy: Invalid value: "Any": must be 'OrderedReady' or 'Parallel'`,
  ],
  [
    "an unknown strategy",
    "spec.updateStrategy",
    { type: "Any" },
    `spec.updateStrategy: Invalid value: {"Type":"Any","RollingUpdate":null}: must be 'RollingUpdate' or 'OnDelete'`,
  ],
  [
    "limits that do not roll",
    "spec.updateStrategy",
    { type: "OnDelete", rollingUpdate: { partition: 1 } },
    `spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy 'RollingUpdate'`,
  ],
  [
    "claims that neither stay nor go",
    "spec.persistentVolumeClaimRetentionPolicy",
    { whenDeleted: "Keep" },
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
  ],
  [
    "an order from below",
    "spec.ordinals",
    { start: -1 },
    "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
  ],
]);

test("a selector is for ever", () => {
  const other = withField(
    withField(workload, "spec.selector", { matchLabels: { app: "b" } }),
    "spec.template.metadata.labels",
    { app: "b" },
  );
  const error = [`spec.selector: Invalid value: ${selector}: field is immutable`];
  assert.deepEqual(refusedChange(deployment, workload, other), error);
  assert.deepEqual(refusedChange(replicaSet, workload, other), error);
  assert.deepEqual(refusedChange(daemonSet, workload, other), error);
  const [only] = refusedChange(statefulSet, workload, other);
  assert.equal(
    only,
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  );
  assert.deepEqual(refusedChange(statefulSet, workload, withField(workload, "spec.replicas", 5)), []);
});

test("defaults", () => {
  const specOf = (definition: ResourceDefinition<never>): Record<string, unknown> => {
    const {
      selector: _s,
      template: _t,
      ...rest
    } = (made(definition as never, workload) as { spec: Record<string, unknown> }).spec;
    return rest;
  };
  assert.deepEqual(specOf(deployment as never), {
    replicas: 1,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  assert.deepEqual(specOf(replicaSet as never), { replicas: 1 });
  assert.deepEqual(specOf(daemonSet as never), {
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    revisionHistoryLimit: 10,
  });
  const { serviceName: _n, ...rest } = specOf(statefulSet as never);
  assert.deepEqual(rest, {
    replicas: 1,
    podManagementPolicy: "OrderedReady",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 1 } },
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
  });
  const { spec } = made(deployment, workload);
  assert.equal(spec?.template.spec?.restartPolicy, "Always");
});

test("a DaemonSet counts the changes of its template", () => {
  const generation = "deprecated.daemonset.template.generation";
  const old = made(daemonSet, workload);
  assert.equal(old.metadata?.annotations?.[generation], "1");
  const next = made(daemonSet, withField(workload, "spec.template.metadata.labels", { app: "a", b: "1" }));
  daemonSet.prepareForUpdate(next, old, undefined as never);
  assert.equal(next.metadata?.annotations?.[generation], "2");
});

test("a revision never changes", () => {
  const revision = { metadata: { name: "r" }, revision: 1, data: { spec: 1 } };
  assert.deepEqual(refused(controllerRevision, revision), []);
  assert.deepEqual(refused(controllerRevision, { metadata: { name: "r" }, revision: -1 }), [
    "revision: Invalid value: -1: must be greater than or equal to 0",
    "data: Required value: data is mandatory",
  ]);
  assert.deepEqual(refusedChange(controllerRevision, revision, { ...revision, data: { spec: 2 } }), [
    'data: Invalid value: {"spec":2}: field is immutable',
  ]);
  const owned = { controller: true, kind: "StatefulSet", apiVersion: "apps/v1", name: "web", uid: "u" };
  const object = made(controllerRevision, { ...revision, metadata: { name: "r", ownerReferences: [owned] } });
  assert.deepEqual(row(controllerRevision, object), ["r", "statefulset.apps/web", 1, "60m"]);
});

test("rows", () => {
  const shown = (definition: ResourceDefinition<never>, status: object): unknown[] =>
    row(definition as never, { ...(made(definition as never, workload) as object), status } as never);
  const tail = ["60m", "c", "i:1"];
  assert.deepEqual(
    shown(deployment as never, { readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 }),
    ["w", "1/1", 1, 1, ...tail, "app=a"],
  );
  assert.deepEqual(shown(replicaSet as never, { replicas: 1 }), ["w", 1, 1, 0, ...tail, "app=a"]);
  assert.deepEqual(shown(statefulSet as never, {}), ["w", "0/1", ...tail]);
  assert.deepEqual(shown(daemonSet as never, { desiredNumberScheduled: 3, numberReady: 2 }), [
    "w",
    3,
    0,
    2,
    0,
    0,
    "<none>",
    ...tail,
    "app=a",
  ]);
});

test("a StatefulSet's containers mount its claims", () => {
  const mounting = withField(
    withField(workload, "spec.template.spec.containers", [
      { name: "c", image: "i:1", volumeMounts: [{ name: "data", mountPath: "/data" }] },
    ]),
    "spec.volumeClaimTemplates",
    [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } }],
  );
  assert.deepEqual(refused(statefulSet, mounting), []);
  const { spec } = made(statefulSet, mounting);
  assert.equal(spec?.template.spec?.volumes, undefined, "the template stays as it is");
  const [claim] = spec?.volumeClaimTemplates ?? [];
  assert.deepEqual(
    [claim?.apiVersion, claim?.kind, claim?.spec?.volumeMode, claim?.status?.phase],
    ["v1", "PersistentVolumeClaim", "Filesystem", "Pending"],
  );
  assert.deepEqual(refused(statefulSet, withField(mounting, "spec.volumeClaimTemplates", undefined)), [
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
  ]);
});

test("names that are no labels", () => {
  assert.deepEqual(statefulSet.validateName("a.b", false), ["must not contain dots"]);
  assert.deepEqual(deployment.validateName("a.b", false), []);
  const dotted = made(deployment, withField(workload, "metadata.name", "a.b"));
  const warning =
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]";
  assert.deepEqual(deployment.warnings(dotted, undefined), [warning]);
  assert.deepEqual(deployment.warnings(dotted, dotted), [], "told once");
  const endless = made(statefulSet, withField(workload, "spec.revisionHistoryLimit", -1));
  assert.match(statefulSet.warnings(endless, undefined)[0] ?? "", /^spec\.revisionHistoryLimit: a negative/);
});

test("numbers in statuses", () => {
  const told = <T extends KubeObject & { status?: object }>(
    definition: ResourceDefinition<T>,
    status: object,
    before: object = {},
  ): string[] | undefined => {
    const object = made(definition, workload);
    return definition.status
      ?.validateUpdate?.({ ...object, status }, { ...object, status: before })
      .map(({ field, detail }) => `${field}: ${detail}`);
  };
  const more = "cannot be greater than status.replicas";
  assert.deepEqual(told(replicaSet, { replicas: 1, readyReplicas: 2 }), [`status.readyReplicas: ${more}`]);
  assert.deepEqual(told(deployment, { replicas: 3, readyReplicas: 1, availableReplicas: 2 }), [
    "status.availableReplicas: cannot be greater than readyReplicas",
  ]);
  assert.deepEqual(told(statefulSet, { replicas: 3, readyReplicas: 1, availableReplicas: 2 }), [
    "status.availableReplicas: cannot be greater than status.readyReplicas",
  ]);
  const fewer = ["status.collisionCount: cannot be decremented"];
  for (const definition of [deployment, statefulSet, daemonSet])
    assert.deepEqual(told(definition as never, { collisionCount: 1 }, { collisionCount: 2 }), fewer);
  assert.deepEqual(told(daemonSet, { numberReady: -1 }), [
    "status.numberReady: must be greater than or equal to 0",
  ]);
});
