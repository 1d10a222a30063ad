// The kinds of storage.k8s.io, each as a table.

import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from "#machinery/gen/types/storage-v1.ts";
import { kindTable, tableChecker } from "../kind-table.ts";
import { csiDriver } from "./csi-driver.ts";
import { csiNode } from "./csi-node.ts";
import { csiStorageCapacity } from "./csi-storage-capacity.ts";
import { storageClass } from "./storage-class.ts";
import { volumeAttachment } from "./volume-attachment.ts";
import { volumeAttributesClass } from "./volume-attributes-class.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const metadata = { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" };
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const qualified =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const ofClass = kindTable<StorageClass>(storageClass, {
  metadata,
  provisioner: "csi.example.com/disk",
  parameters: { a: "b" },
});
const topology = "allowedTopologies[0].matchLabelExpressions";
checkTable("StorageClass", ofClass, {
  create: [
    ["nothing is wrong", () => undefined],
    ["no provisioner", (object) => (object.provisioner = ""), "provisioner: Required value"],
    [
      "a provisioner of no name",
      (object) => (object.provisioner = "a/b/c"),
      `provisioner: Invalid value: "a/b/c": a valid label key ${qualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
    [
      "another policy and mode",
      (object) => Object.assign(object, { reclaimPolicy: "Recycle", volumeBindingMode: "Late" }),
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Late": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
    [
      "topologies",
      (object) =>
        (object.allowedTopologies = [
          {
            matchLabelExpressions: [
              { key: "a", values: [] },
              { key: "a", values: ["b", "b"] },
            ],
          },
        ]),
      `${topology}[0].values: Required value`,
      `${topology}[1].values[1]: Duplicate value: "b"`,
      `${topology}[1].key: Duplicate value: "a"`,
    ],
  ],
  update: [
    [
      "expansion and mounts",
      (object) => Object.assign(object, { allowVolumeExpansion: true, mountOptions: ["ro"] }),
    ],
    [
      "all the rest",
      (object) => {
        object.parameters = {};
        object.provisioner = "a";
        object.reclaimPolicy = "Retain";
        object.volumeBindingMode = "WaitForFirstConsumer";
      },
      "parameters: Forbidden: updates to parameters are forbidden.",
      "provisioner: Forbidden: updates to provisioner are forbidden.",
      "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ],
  ],
});
test("StorageClass: defaults and row", () => {
  const { reclaimPolicy, volumeBindingMode } = ofClass.created();
  assert.deepEqual([reclaimPolicy, volumeBindingMode], ["Delete", "Immediate"]);
  assert.deepEqual(ofClass.row(), ["x", "csi.example.com/disk", "Delete", "Immediate", false, "24h"]);
  const marked = ofClass.row(({ metadata }) => {
    metadata!.annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  });
  assert.equal(marked[0], "x (default)");
});

const attachment = kindTable<VolumeAttachment>(volumeAttachment, {
  metadata,
  spec: { attacher: "csi.example.com", nodeName: "n", source: { persistentVolumeName: "pv" } },
});
const oneOf = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
checkTable("VolumeAttachment", attachment, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "nothing at all",
      (object) => (object.spec = { attacher: "", nodeName: "", source: {} }),
      "spec.attacher: Required value",
      `spec.source: Required value: ${oneOf}`,
      `spec.nodeName: Invalid value: "": ${subdomain}`,
    ],
    ["both sources", ({ spec }) => (spec.source.inlineVolumeSpec = {}), `spec.source: Forbidden: ${oneOf}`],
    [
      "an empty name",
      ({ spec }) => (spec.source.persistentVolumeName = ""),
      "spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName",
    ],
  ],
  update: [
    ["labels", ({ metadata }) => (metadata!.labels = { a: "b" })],
    [
      "another node",
      ({ spec }) => (spec.nodeName = "m"),
      'spec: Invalid value: {"attacher":"csi.example.com","nodeName":"m","source":{"persistentVolumeName":"pv"}}: field is immutable',
    ],
  ],
  status: [
    ["attached", (object) => (object.status = { attached: true })],
    [
      "an error without a code",
      (object) => (object.status = { attached: false, attachError: { errorCode: 0 } }),
      "status.attachError.errorCode: Invalid value: 0: must be greater than 0",
    ],
  ],
});
test("VolumeAttachment: status and row", () => {
  assert.deepEqual(attachment.created((object) => (object.status = { attached: true })).status, {
    attached: false,
  });
  assert.deepEqual(attachment.row(), ["x", "csi.example.com", "pv", "n", false, "24h"]);
});

const driver = kindTable<CSIDriver>(csiDriver, { metadata, spec: {} });
checkTable("CSIDriver", driver, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "a name too long",
      ({ metadata }) => (metadata!.name = "a".repeat(64)),
      "name: Too long: may not be more than 63 bytes",
    ],
    [
      "other words",
      ({ spec }) => Object.assign(spec, { volumeLifecycleModes: ["Once"], fsGroupPolicy: "All" }),
      'spec.volumeLifecycleModes: Unsupported value: "Once": supported values: "Ephemeral", "Persistent"',
      'spec.fsGroupPolicy: Unsupported value: "All": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
    [
      "tokens",
      ({ spec }) =>
        (spec.tokenRequests = [
          { audience: "a", expirationSeconds: 5 },
          { audience: "a" },
          { audience: "b", expirationSeconds: 2 ** 33 },
        ]),
      "spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      "spec.tokenRequests[2].expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds",
    ],
    [
      "a period too short",
      ({ spec }) => (spec.nodeAllocatableUpdatePeriodSeconds = 5),
      "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 5: must be greater than or equal to 10 seconds",
    ],
  ],
  update: [
    [
      "what may change",
      ({ spec }) =>
        Object.assign(spec, { podInfoOnMount: true, storageCapacity: true, fsGroupPolicy: "File" }),
    ],
    [
      "what may not",
      ({ spec }) => Object.assign(spec, { attachRequired: false, volumeLifecycleModes: ["Ephemeral"] }),
      "spec.attachRequired: Invalid value: false: field is immutable",
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ],
  ],
});
test("CSIDriver: defaults, generation and row", () => {
  assert.deepEqual(driver.created().spec, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    volumeLifecycleModes: ["Persistent"],
    requiresRepublish: false,
    seLinuxMount: false,
  });
  assert.equal(driver.updated(({ spec }) => (spec.requiresRepublish = true)).metadata?.generation, 1);
  assert.equal(driver.updated(({ spec }) => (spec.podInfoOnMount = true)).metadata?.generation, undefined);
  assert.deepEqual(driver.row(), ["x", true, false, false, "<unset>", false, "Persistent", "24h"]);
});

const node = kindTable<CSINode>(csiNode, {
  metadata,
  spec: { drivers: [{ name: "a.b", nodeID: "n", topologyKeys: ["a"], allocatable: { count: 1 } }] },
});
checkTable("CSINode", node, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "half a driver, twice",
      ({ spec }) =>
        (spec.drivers = [
          { name: "A_", nodeID: "", topologyKeys: ["a", "a"], allocatable: { count: -1 } },
          { name: "A_", nodeID: "n" },
        ]),
      `spec.drivers[0].name: Invalid value: "A_": ${subdomain}`,
      "spec.drivers[0].nodeID: Required value",
      "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
      'spec.drivers[0].topologyKeys: Duplicate value: "a"',
      `spec.drivers[1].name: Invalid value: "A_": ${subdomain}`,
      'spec.drivers[1].name: Duplicate value: "A_"',
    ],
  ],
  update: [
    [
      "another driver, and another count",
      ({ spec }) => {
        spec.drivers[0]!.allocatable = { count: 5 };
        spec.drivers.push({ name: "c", nodeID: "n" });
      },
    ],
    ["none", ({ spec }) => (spec.drivers = [])],
    [
      "another id",
      ({ spec }) => (spec.drivers[0]!.nodeID = "m"),
      'CSINodeDriver: Invalid value: {"name":"a.b","nodeID":"m","topologyKeys":["a"],"allocatable":{"count":1}}: field is immutable',
    ],
  ],
});
test("CSINode: row", () => assert.deepEqual(node.row(), ["x", 1, "24h"]));

const capacity = kindTable<CSIStorageCapacity>(csiStorageCapacity, {
  metadata,
  storageClassName: "fast",
  nodeTopology: { matchLabels: { a: "b" } },
  capacity: "1Gi",
});
checkTable("CSIStorageCapacity", capacity, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "no class, and less than nothing",
      (object) => Object.assign(object, { storageClassName: "", capacity: "-1", maximumVolumeSize: "-2Gi" }),
      `storageClassName: Invalid value: "": ${subdomain}`,
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
      'maximumVolumeSize: Invalid value: "-2Gi": must be greater than or equal to 0',
    ],
  ],
  update: [
    ["another capacity", (object) => (object.capacity = "2Gi")],
    [
      "another class",
      (object) => Object.assign(object, { storageClassName: "slow", nodeTopology: {} }),
      "nodeTopology: Invalid value: {}: field is immutable",
      'storageClassName: Invalid value: "slow": field is immutable',
    ],
  ],
});
test("CSIStorageCapacity: row", () => assert.deepEqual(capacity.row(), ["x", "2020-01-01T00:00:00Z"]));

const attributes = kindTable<VolumeAttributesClass>(volumeAttributesClass, {
  metadata,
  driverName: "a.b",
  parameters: { iops: "1" },
});
checkTable("VolumeAttributesClass", attributes, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "nothing at all",
      (object) => Object.assign(object, { driverName: "", parameters: {} }),
      "driverName: Required value",
      "parameters: Required value: must contain at least one key/value pair",
    ],
  ],
  update: [
    [
      "anything",
      (object) => Object.assign(object, { driverName: "c", parameters: { a: "b" } }),
      "driverName: Forbidden: updates to driverName are forbidden.",
      "parameters: Forbidden: updates to parameters are forbidden.",
    ],
  ],
});
test("VolumeAttributesClass: row", () => assert.deepEqual(attributes.row(), ["x", "a.b", "24h"]));
