import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateSigningRequest } from "#machinery/gen/types/certificates-v1.ts";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import { kindTable, tableChecker, type Change } from "../kind-table.ts";
import { organizationsOf } from "./certificate-request.ts";
import { certificateSigningRequest } from "./certificate-signing-request.ts";
import { certificateSample, mastersRequestSample, requestSample } from "./pem-samples.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const kind = kindTable<CertificateSigningRequest>(certificateSigningRequest, {
  metadata: { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: { request: requestSample, signerName: "example.com/signer", usages: ["client auth"] },
});
const signer =
  (signerName: string): Change<CertificateSigningRequest> =>
  ({ spec }) =>
    (spec.signerName = signerName);
const conditions =
  (...all: [type: string, status: string][]): Change<CertificateSigningRequest> =>
  (object) =>
    (object.status = { ...object.status, conditions: all.map(([type, status]) => ({ type, status })) });
const certificate = Buffer.from(requestSample, "base64").toString();
const notPem = Buffer.from(certificate.replaceAll("CERTIFICATE REQUEST", "KEY")).toString("base64");
const cut = Buffer.from(
  "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
).toString("base64");

checkTable("CertificateSigningRequest", kind, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "another PEM block",
      ({ spec }) => (spec.request = notPem),
      `spec.request: Invalid value: "${notPem}": PEM block type must be CERTIFICATE REQUEST`,
    ],
    [
      "half a request",
      ({ spec }) => (spec.request = cut),
      `spec.request: Invalid value: "${cut}": asn1: structure error: this is no certificate request`,
    ],
    ["no usages", ({ spec }) => delete spec.usages, "spec.usages: Required value"],
    ["a usage twice", ({ spec }) => (spec.usages = ["any", "any"]), 'spec.usages[1]: Duplicate value: "any"'],
    ["no signer", signer(""), "spec.signerName: Required value"],
    [
      "the old signer",
      signer("kubernetes.io/legacy-unknown"),
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
    ],
    [
      "a signer without a domain",
      signer("a"),
      `spec.signerName: Invalid value: "a": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    ],
    [
      "a domain of one label",
      signer("a/b"),
      'spec.signerName: Invalid value: "a": should be a domain with at least two segments separated by dots',
    ],
    [
      "too short",
      ({ spec }) => (spec.expirationSeconds = 599),
      "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)",
    ],
  ],
  status: [
    [
      "conditions",
      conditions(["Failed", "False"], ["", "True"], ["a", "b"]),
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
      "status.conditions[1].type: Required value",
      'status.conditions[2].status: Unsupported value: "b": supported values: "False", "True", "Unknown"',
    ],
    [
      "an approval",
      conditions(["Approved", "True"]),
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ],
    ["a certificate", (object) => (object.status = { certificate: certificateSample })],
    [
      "something else as certificate",
      (object) => (object.status = { certificate: requestSample }),
      `status.certificate: Invalid value: "${requestSample}": only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"`,
    ],
  ],
});

const { approval } = certificateSigningRequest.parts;
const context = {
  nowMs: 0,
  settings: { serviceClusterIpRanges: [], serviceNodePortRange: { from: 1, to: 2 } },
};
function approve(change: Change<CertificateSigningRequest>, old: CertificateSigningRequest) {
  const next = structuredClone(old);
  change(next);
  approval?.prepareForUpdate(next, old, context);
  return { next, told: (approval?.validateUpdate(next, old) ?? []).map(fieldErrorMessage) };
}

test("CertificateSigningRequest: an approval leaves request and certificate alone, and stays", () => {
  const { next, told } = approve((object) => {
    conditions(["Approved", "True"])(object);
    object.spec.signerName = "other.example.com/a";
    (object.status ??= {}).certificate = certificateSample;
  }, kind.created());
  assert.deepEqual(told, []);
  const time = "1970-01-01T00:00:00Z";
  assert.deepEqual(next.status, {
    conditions: [{ type: "Approved", status: "True", lastUpdateTime: time, lastTransitionTime: time }],
  });
  assert.equal(next.spec.signerName, "example.com/signer");
  assert.deepEqual(approve(conditions(["Denied", "True"]), next).told, [
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
  ]);
  assert.deepEqual(approve(conditions(["Approved", "True"], ["Denied", "True"]), next).told, [
    'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
  ]);
});

test("CertificateSigningRequest: who asks is said by the server", () => {
  const object = structuredClone(kind.created());
  object.spec.username = "somebody-else";
  certificateSigningRequest.prepareForCreate(object, {
    ...context,
    caller: { name: "jane", uid: "7", groups: ["staff"], extra: { scope: ["a"] } },
  });
  const { username, uid, groups, extra } = object.spec;
  assert.deepEqual(
    { username, uid, groups, extra },
    {
      username: "jane",
      uid: "7",
      groups: ["staff"],
      extra: { scope: ["a"] },
    },
  );
});

test("CertificateSigningRequest: its row", () => {
  assert.deepEqual(kind.row(), ["x", "24h", "example.com/signer", "", "<none>", "Pending"]);
  const done = structuredClone(kind.created());
  conditions(["Approved", "True"])(done);
  done.status = { ...done.status, certificate: certificateSample };
  assert.equal(certificateSigningRequest.columns.at(-1)?.cell(done, 0), "Approved,Issued");
});

test("the groups that a certificate request asks for", () => {
  assert.deepEqual(organizationsOf(requestSample), ["staff"]);
  assert.deepEqual(organizationsOf(mastersRequestSample), ["staff", "system:masters"]);
  assert.deepEqual(organizationsOf(cut), []);
});
