// The kinds of resource.k8s.io, each as a table.

import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  DeviceClass,
  DeviceRequest,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from "#machinery/gen/types/resource-v1.ts";
import { kindTable, tableChecker, type Change } from "../kind-table.ts";
import { deviceClass } from "./device-class.ts";
import { resourceClaimTemplate } from "./resource-claim-template.ts";
import { resourceClaim } from "./resource-claim.ts";
import { resourceSlice } from "./resource-slice.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const metadata = { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" };
const isC =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";

const ofClass = kindTable<DeviceClass>(deviceClass, { metadata, spec: {} });
checkTable("DeviceClass", ofClass, {
  create: [
    ["nothing is wrong", ({ spec }) => (spec.selectors = [{ cel: { expression: "true" } }])],
    [
      "selectors and configuration of nothing",
      ({ spec }) =>
        Object.assign(spec, {
          selectors: [{}, { cel: { expression: "" } }],
          config: [{}, { opaque: { driver: "", parameters: [1] } }],
        }),
      "spec.selectors[0].cel: Required value",
      "spec.selectors[1].cel.expression: Required value",
      "spec.config[0].opaque: Required value",
      "spec.config[1].opaque.driver: Required value",
      'spec.config[1].opaque.parameters: Invalid value: "<value omitted>": parsed object must be a JSON object',
    ],
    [
      "too many",
      ({ spec }) => (spec.selectors = Array.from({ length: 33 }, () => ({ cel: { expression: "true" } }))),
      "spec.selectors: Too many: 33: must have at most 32 items",
    ],
  ],
});
test("DeviceClass: row", () => assert.deepEqual(ofClass.row(), ["x", "24h"]));

const request: DeviceRequest = { name: "r", exactly: { deviceClassName: "gpu" } };
const claim = kindTable<ResourceClaim>(resourceClaim, {
  metadata: { ...metadata, namespace: "default" },
  spec: { devices: { requests: [request] } },
});
const requests =
  (...all: object[]): Change<ResourceClaim> =>
  ({ spec }) =>
    (spec.devices = { requests: all as DeviceRequest[] });
const exactly = (given: object): Change<ResourceClaim> =>
  requests({ name: "r", exactly: { deviceClassName: "gpu", ...given } });
const at = "spec.devices.requests[0]";
const consumer = { resource: "pods", name: "p", uid: "u" };
const result = { request: "r", driver: "a.b", pool: "p", device: "d" };
checkTable("ResourceClaim", claim, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "neither and both",
      requests({ name: "a" }, { ...request, firstAvailable: [{ name: "s", deviceClassName: "c" }] }),
      `${at}: Required value: exactly one of \`exactly\` or \`firstAvailable\` is required`,
      'spec.devices.requests[1]: Invalid value: "": exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
    ],
    ["no class", exactly({ deviceClassName: "" }), `${at}.exactly.deviceClassName: Required value`],
    [
      "all, and how many",
      exactly({ allocationMode: "All", count: 2 }),
      `${at}.exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'`,
    ],
    [
      "another mode",
      exactly({ allocationMode: "Some" }),
      `${at}.exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"`,
    ],
    [
      "less than one",
      exactly({ count: -1 }),
      `${at}.exactly.count: Invalid value: -1: must be greater than zero`,
    ],
    [
      "tolerations",
      exactly({
        tolerations: [{ operator: "Exists", value: "v" }, { key: "" }, { key: "a", effect: "Some" }],
      }),
      `${at}.exactly.tolerations[0].value: Invalid value: "v": must be empty for operator \`Exists\``,
      `${at}.exactly.tolerations[1].key: Required value: must be set for operator \`Equal\``,
      `${at}.exactly.tolerations[2].effect: Unsupported value: "Some": supported values: "NoExecute", "NoSchedule", "None"`,
    ],
    [
      "constraints on what is not asked for",
      ({ spec }) => (spec.devices!.constraints = [{ requests: ["r", "s"] }, { matchAttribute: "a" }]),
      'spec.devices.constraints[0].requests[1]: Invalid value: "s": must be the name of a request in the claim',
      "spec.devices.constraints[0]: Required value: exactly one of `matchAttribute` or `distinctAttribute` is required",
      'spec.devices.constraints[1].matchAttribute: Invalid value: "a": must include a domain',
    ],
    ["the same request twice", requests(request, request), 'spec.devices.requests[1]: Duplicate value: "r"'],
  ],
  update: [
    ["labels", ({ metadata }) => (metadata!.labels = { a: "b" })],
    [
      "nothing asked any more",
      ({ spec }) => (spec.devices = {}),
      'spec: Invalid value: {"devices":{}}: field is immutable',
    ],
  ],
  status: [
    [
      "given and reserved",
      (object) =>
        (object.status = { allocation: { devices: { results: [result] } }, reservedFor: [consumer] }),
    ],
    [
      "reserved without being given",
      (object) => (object.status = { reservedFor: [consumer, consumer] }),
      'status.reservedFor[1].uid: Duplicate value: "u"',
      "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
    ],
    [
      "for another request",
      (object) => (object.status = { allocation: { devices: { results: [{ ...result, request: "s" }] } } }),
      'status.allocation.devices.results[0].request: Invalid value: "s": must be the name of a request in the claim',
    ],
  ],
});
test("ResourceClaim: defaults and row", () => {
  assert.deepEqual(claim.created().spec.devices?.requests, [
    { name: "r", exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 1 } },
  ]);
  assert.deepEqual(claim.row(), ["x", "pending", "24h"]);
  const given = { ...claim.created(), status: { allocation: {}, reservedFor: [consumer] } };
  assert.equal(resourceClaim.columns[1]?.cell(given, 0), "allocated,reserved");
});

const template = kindTable<ResourceClaimTemplate>(resourceClaimTemplate, {
  metadata: { ...metadata, namespace: "default" },
  spec: { spec: { devices: { requests: [request] } } },
});
checkTable("ResourceClaimTemplate", template, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "a request of nothing",
      ({ spec }) => (spec.spec.devices = { requests: [{ name: "a" }] }),
      "spec.spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
    ],
  ],
  update: [
    ["another one", ({ spec }) => (spec.spec = {}), 'spec: Invalid value: {"spec":{}}: field is immutable'],
  ],
});
test("ResourceClaimTemplate: row", () => assert.deepEqual(template.row(), ["x", "24h"]));

const slice = kindTable<ResourceSlice>(resourceSlice, {
  metadata,
  spec: {
    driver: "a.b",
    nodeName: "n",
    pool: { name: "p", generation: 1, resourceSliceCount: 1 },
    devices: [{ name: "d", attributes: { model: { string: "m" } }, capacity: { memory: { value: "1Gi" } } }],
  },
});
const device = "spec.devices[0]";
checkTable("ResourceSlice", slice, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "for no node",
      ({ spec }) => delete spec.nodeName,
      "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
    ],
    [
      "for one and all",
      ({ spec }) => (spec.allNodes = true),
      'spec: Invalid value: "": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
    ],
    [
      "a pool of nothing",
      ({ spec }) => (spec.pool = { name: "", generation: -1, resourceSliceCount: 0 }),
      "spec.pool.name: Required value",
      "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
      "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero",
    ],
    [
      "devices",
      ({ spec }) =>
        (spec.devices = [
          {
            name: "d",
            attributes: { "a-b": { int: 1 }, none: {}, two: { int: 1, bool: true }, v: { version: "1" } },
            taints: [{ key: "a", effect: "Some" }],
          },
          { name: "d" },
        ]),
      `${device}.attributes[a-b]: Invalid value: "a-b": ${isC}`,
      `${device}.attributes[none]: Required value: exactly one value must be specified`,
      `${device}.attributes[two]: Invalid value: "": exactly one value must be specified`,
      `${device}.attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0`,
      `${device}.taints[0].effect: Unsupported value: "Some": supported values: "NoExecute", "NoSchedule", "None"`,
      'spec.devices[1].name: Duplicate value: "d"',
    ],
  ],
  update: [
    ["other devices", ({ spec }) => (spec.devices = [])],
    [
      "another driver, pool and node",
      ({ spec }) => Object.assign(spec, { driver: "c", nodeName: "m", pool: { ...spec.pool, name: "q" } }),
      'spec.driver: Invalid value: "c": field is immutable',
      'spec.pool.name: Invalid value: "q": field is immutable',
      'spec.nodeName: Invalid value: "m": field is immutable',
    ],
  ],
});
test("ResourceSlice: times of taints, and row", () => {
  const made = slice.created(
    ({ spec }) => (spec.devices = [{ name: "d", taints: [{ key: "a", effect: "None" }] }]),
  );
  assert.equal(made.spec.devices?.[0]?.taints?.[0]?.timeAdded, "2020-01-02T00:00:00Z");
  assert.deepEqual(slice.row(), ["x", "n", "a.b", "p", "24h"]);
});
