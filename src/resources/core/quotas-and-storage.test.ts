// LimitRange, ResourceQuota, PersistentVolume, PersistentVolumeClaim, PodTemplate: what is refused, defaults, rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { limitRange } from "./limit-range.ts";
import { persistentVolumeClaim } from "./persistent-volume-claim.ts";
import { persistentVolume } from "./persistent-volume.ts";
import { podTemplate } from "./pod-template.ts";
import { resourceQuota } from "./resource-quota.ts";

const metadata = { name: "x", namespace: "default" };
type Rows = readonly (readonly [name: string, spec: object, ...errors: string[]])[];

function table<T extends KubeObject>(definition: ResourceDefinition<T>, valid: object, rows: Rows): void {
  test(`${definition.kind}: valid`, () =>
    assert.deepEqual(refused(definition, { metadata, spec: valid }), []));
  for (const [name, spec, ...errors] of rows)
    test(`${definition.kind}: ${name}`, () =>
      assert.deepEqual(refused(definition, { metadata, spec: { ...valid, ...spec } }), errors));
}

const limits = (...items: object[]): object => ({ limits: items });
table(
  limitRange,
  limits({ type: "Container", max: { cpu: "2" }, min: { cpu: "1" }, default: { cpu: "1500m" } }),
  [
    [
      "an unknown type",
      limits({ type: "Disk" }),
      'spec.limits[0].type: Invalid value: "Disk": must be a standard limit type or fully qualified',
    ],
    ["a type twice", limits({ type: "Pod" }, { type: "Pod" }), 'spec.limits[1].type: Duplicate value: "Pod"'],
    [
      "an unknown resource",
      limits({ type: "Container", maxLimitRequestRatio: { disk: "1" } }),
      'spec.limits[0].maxLimitRequestRatio[disk]: Invalid value: "disk": must be a standard resource for containers',
    ],
    [
      "a default of pods",
      limits({ type: "Pod", default: { cpu: "1" } }),
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
    ],
    [
      "a claim of no size",
      limits({ type: "PersistentVolumeClaim" }),
      "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
    ],
    [
      "more at least than at most",
      limits({ type: "Pod", min: { cpu: "2" }, max: { cpu: "1" } }),
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    ],
    [
      "a default beyond the maximum",
      limits({ type: "Container", max: { cpu: "1" }, default: { cpu: "2" }, defaultRequest: { cpu: "1" } }),
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1',
    ],
    [
      "a ratio below one",
      limits({ type: "Pod", maxLimitRequestRatio: { cpu: "500m" } }),
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
    ],
  ],
);

test("LimitRange: what containers have that do not say", () => {
  const { spec } = made(limitRange, {
    metadata,
    spec: limits({
      type: "Container",
      max: { cpu: "2" },
      min: { memory: "1Gi" },
      default: { memory: "2Gi" },
    }),
  });
  assert.deepEqual(spec?.limits[0]?.default, { cpu: "2", memory: "2Gi" });
  assert.deepEqual(spec?.limits[0]?.defaultRequest, { cpu: "2", memory: "2Gi" });
  assert.deepEqual(row(limitRange, made(limitRange, { metadata, spec: limits() })), [
    "x",
    "2026-01-01T11:00:00Z",
  ]);
});

table(resourceQuota, { hard: { pods: "10", "requests.cpu": "4", "count/jobs.batch": "2" } }, [
  [
    "an unknown resource",
    { hard: { disks: "1" } },
    'spec.hard[disks]: Invalid value: "disks": must be a standard resource for quotas',
  ],
  ["half a pod", { hard: { pods: "1500m" } }, 'spec.hard[pods]: Invalid value: "1500m": must be an integer'],
  [
    "less than nothing",
    { hard: { cpu: "-1" } },
    'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  ["an unknown scope", { scopes: ["Fast"] }, 'spec.scopes: Invalid value: ["Fast"]: unsupported scope'],
  [
    "opposite scopes",
    { hard: { pods: "1" }, scopes: ["BestEffort", "NotBestEffort"] },
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ],
  [
    "a scope of pods for something else",
    { hard: { services: "1" }, scopes: ["Terminating"] },
    'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
  ],
  [
    "a selector without values",
    {
      hard: { pods: "1" },
      scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In" }] },
    },
    "spec.scopeSelector.matchExpressions[0].values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  ],
]);

test("ResourceQuota: scopes stay, and the row", () => {
  const scoped = { metadata, spec: { hard: { pods: "1" }, scopes: ["Terminating"] } };
  assert.deepEqual(
    refusedChange(resourceQuota, scoped, withField(scoped, "spec.scopes", ["NotTerminating"])),
    ['spec.scopes: Invalid value: ["NotTerminating"]: field is immutable'],
  );
  const status = {
    hard: { pods: "10", "limits.cpu": "4", configmaps: "5" },
    used: { pods: "3", "limits.cpu": "1" },
  };
  const object = { ...made(resourceQuota, scoped), status };
  assert.deepEqual(row(resourceQuota, object), [
    "x",
    "configmaps: 0/5, pods: 3/10",
    "limits.cpu: 1/4",
    "60m",
  ]);
});

const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
table(persistentVolumeClaim, claim, [
  [
    "no way to it",
    { accessModes: [] },
    "spec.accessModes: Required value: at least 1 access mode is required",
  ],
  [
    "an unknown way to it",
    { accessModes: ["Once"] },
    'spec.accessModes: Unsupported value: "Once": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
  ],
  [
    "one pod, and others",
    { accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] },
    "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
  ],
  ["no size", { resources: {} }, "spec.resources[storage]: Required value"],
  [
    "a size of nothing",
    { resources: { requests: { storage: "0" } } },
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  ],
  [
    "an unknown mode",
    { volumeMode: "Tape" },
    'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
  ],
]);

test("PersistentVolumeClaim: what may change", () => {
  const object = { metadata, spec: claim };
  const immutable =
    "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
  assert.deepEqual(
    refusedChange(persistentVolumeClaim, object, withField(object, "spec.accessModes", ["ReadOnlyMany"])),
    [immutable],
  );
  assert.deepEqual(
    refusedChange(persistentVolumeClaim, object, withField(object, "spec.resources.requests.storage", "2Gi")),
    [immutable],
  );
  assert.deepEqual(
    refusedChange(persistentVolumeClaim, object, withField(object, "spec.volumeName", "pv")),
    [],
  );
  const bound = made(persistentVolumeClaim, object);
  bound.status = { phase: "Bound", capacity: { storage: "1Gi" } };
  const sized = (storage: string): string[] =>
    persistentVolumeClaim
      .validateUpdate({ ...bound, spec: { ...bound.spec, resources: { requests: { storage } } } }, bound)
      .map(({ field, detail }) => `${field}: ${detail}`);
  assert.deepEqual(sized("2Gi"), []);
  assert.deepEqual(sized("500Mi"), [
    "spec.resources.requests.storage: field can not be less than status.capacity",
  ]);
  assert.deepEqual(row(persistentVolumeClaim, made(persistentVolumeClaim, object)), [
    "x",
    "Pending",
    "",
    "",
    "",
    "",
    "<unset>",
    "60m",
    "Filesystem",
  ]);
});

const volume = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } };
table(persistentVolume, volume, [
  ["nowhere", { hostPath: undefined }, "spec: Required value: must specify a volume type"],
  [
    "in two places",
    { nfs: { server: "s", path: "/" } },
    "spec.nfs: Forbidden: may not specify more than 1 volume type",
  ],
  ["of no size", { capacity: {} }, "spec.capacity: Required value"],
  [
    "of another size",
    { capacity: { cpu: "1" } },
    'spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"',
  ],
  [
    "kept in no way",
    { persistentVolumeReclaimPolicy: "Burn" },
    'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
  ],
  [
    "a disk of no node",
    { hostPath: undefined, local: { path: "/d" } },
    "spec.nodeAffinity: Required value: Local volume requires node affinity",
  ],
  [
    "a driver's, without a handle",
    { hostPath: undefined, csi: { driver: "d" } },
    "spec.csi.volumeHandle: Required value",
  ],
]);

test("PersistentVolume: what stays, and the row", () => {
  const object = { metadata: { name: "x" }, spec: volume };
  assert.deepEqual(
    refusedChange(persistentVolume, object, withField(object, "spec.hostPath.path", "/other")),
    ["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"],
  );
  assert.deepEqual(refusedChange(persistentVolume, object, withField(object, "spec.volumeMode", "Block")), [
    'spec.volumeMode: Invalid value: "Block": field is immutable',
  ]);
  assert.deepEqual(row(persistentVolume, made(persistentVolume, object)), [
    "x",
    "1Gi",
    "RWO",
    "Retain",
    "Pending",
    "",
    "",
    "<unset>",
    "",
    "60m",
    "Filesystem",
  ]);
});

test("PodTemplate: its template is one", () => {
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  assert.deepEqual(refused(podTemplate, { metadata, template }), []);
  assert.deepEqual(refused(podTemplate, { metadata, template: { spec: {} } }), [
    "template.spec.containers: Required value",
  ]);
  assert.deepEqual(row(podTemplate, made(podTemplate, { metadata, template })), ["x", "c", "i", "a=b"]);
});
