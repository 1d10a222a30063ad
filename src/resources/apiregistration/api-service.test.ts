import assert from "node:assert/strict";
import { test } from "node:test";
import type { APIService } from "#machinery/gen/types/apiregistration-v1.ts";
import { kindTable, tableChecker } from "../kind-table.ts";
import { apiService } from "./api-service.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const kind = kindTable<APIService>(apiService, {
  metadata: { name: "v1.a.example.com", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: { group: "a.example.com", version: "v1", groupPriorityMinimum: 1000, versionPriority: 15 },
});
const service = { namespace: "default", name: "s" };

checkTable("APIService", kind, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "another name",
      ({ metadata }) => (metadata!.name = "v1.b"),
      'metadata.name: Invalid value: "v1.b": must be `spec.version+"."+spec.group`: "v1.a.example.com"',
    ],
    [
      "priorities",
      ({ spec }) => Object.assign(spec!, { groupPriorityMinimum: 0, versionPriority: 1001 }),
      "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
      "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000",
    ],
    [
      "no group",
      (object) => {
        object.metadata!.name = "v2.";
        Object.assign(object.spec!, { group: "", version: "v2" });
      },
      "spec.group: Required value: only v1 may have an empty group and it better be legacy kube",
    ],
    [
      "a local one with a certificate",
      ({ spec }) => Object.assign(spec!, { caBundle: "YWI=", insecureSkipTLSVerify: true }),
      'spec.caBundle: Invalid value: "2 bytes": local APIServices may not have a caBundle',
      "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
    ],
    [
      "half a service",
      ({ spec }) => (spec!.service = { port: 0 }),
      "spec.service.namespace: Required value",
      "spec.service.name: Required value",
      "spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
    ],
    [
      "checked and not checked",
      ({ spec }) => Object.assign(spec!, { service, caBundle: "YWI=", insecureSkipTLSVerify: true }),
      "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present",
    ],
  ],
  status: [
    [
      "a condition of neither",
      (object) => (object.status = { conditions: [{ type: "Available", status: "Maybe" }] }),
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    ],
  ],
});

test("APIService: what is served here is available, anything else is not known to be", () => {
  assert.deepEqual(kind.row(), ["v1.a.example.com", "Local", "True", "24h"]);
  const other = kind.created(({ spec }) => (spec!.service = { ...service }));
  assert.deepEqual(other.status, {});
  assert.equal(other.spec?.service?.port, 443);
  assert.deepEqual(kind.row(({ spec }) => (spec!.service = { ...service })).slice(1, 3), [
    "default/s",
    "Unknown",
  ]);
});
