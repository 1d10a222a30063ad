// What signers sign, which requests of kubelets are recognised, and when requests go.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContent } from "#pki/certificate-requests.ts";
import {
  clientSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  legacySigner,
  recognize,
  requestEndsMs,
  signingError,
  type ReadRequest,
} from "./request-rules.ts";

const node: RequestContent = {
  commonName: "system:node:n1",
  organizations: ["system:nodes"],
  dnsNames: [],
  ipAddresses: [],
  otherNames: [],
};
const served = { ...node, dnsNames: ["n1"] };
const client = ["digital signature", "key encipherment", "client auth"];
const server = ["digital signature", "server auth"];

const cases: readonly (readonly [
  signer: string,
  usages: readonly string[],
  content: RequestContent,
  why?: string,
])[] = [
  [clientSigner, client, { ...served, commonName: "jane", organizations: [] }],
  [
    clientSigner,
    server,
    node,
    "invalid usage for client certificate: only digital signature, key encipherment, client auth are allowed",
  ],
  [
    clientSigner,
    ["digital signature"],
    node,
    "invalid usage for client certificate: client auth is required",
  ],
  [kubeletClientSigner, client, node],
  [kubeletClientSigner, ["digital signature", "client auth"], node],
  [kubeletClientSigner, client, served, "subjectAltNames are not allowed"],
  [
    kubeletClientSigner,
    client,
    { ...node, commonName: "n1" },
    "subject common name does not begin with system:node:",
  ],
  [
    kubeletClientSigner,
    client,
    { ...node, organizations: ["system:masters"] },
    "subject organization is not system:nodes",
  ],
  [kubeletServingSigner, server, served],
  [kubeletServingSigner, server, node, "DNS or IP subjectAltName is required"],
  [
    kubeletServingSigner,
    server,
    { ...served, otherNames: ["a@b"] },
    "email and URI subjectAltNames are not allowed",
  ],
  [legacySigner, server, { ...node, commonName: "anything" }],
];
for (const [signer, usages, content, why] of cases)
  test(`${signer}: ${usages.join()} for ${JSON.stringify(content)}`, () => {
    assert.equal(signingError(signer, usages, content), why);
  });

test("a kubelet that asks for itself is recognised as that first", () => {
  const request = (username: string, signerName = kubeletClientSigner): ReadRequest => ({
    spec: { request: "", signerName, usages: client, username },
  });
  const of = (one: ReadRequest, content = node): string[] =>
    recognize(one, content).map(({ subresource, message }) => `${subresource}: ${message}`);
  const other = "nodeclient: Auto approving kubelet client certificate after SubjectAccessReview.";
  assert.deepEqual(of(request("system:node:n1")), [
    "selfnodeclient: Auto approving self kubelet client certificate after SubjectAccessReview.",
    other,
  ]);
  assert.deepEqual(of(request("system:bootstrap:x")), [other]);
  assert.deepEqual(of(request("system:node:n1"), served), []);
  assert.deepEqual(of(request("system:node:n1", clientSigner)), []);
});

test("requests go an hour after their answer, or a day after nobody gave one", () => {
  const hourMs = 3_600_000;
  const createdMs = Date.parse("2026-06-01T00:00:00Z");
  const settled = "2026-06-01T05:00:00Z";
  const of = (type?: string, certificate?: string, ends?: number): number => {
    const conditions = type === undefined ? [] : [{ type, status: "True", lastUpdateTime: settled }];
    const request = {
      metadata: { creationTimestamp: "2026-06-01T00:00:00Z" },
      spec: { request: "", signerName: clientSigner },
      status: { conditions, ...(certificate === undefined ? {} : { certificate }) },
    };
    return (requestEndsMs(request, ends) - createdMs) / hourMs;
  };
  assert.equal(of(), 24);
  assert.equal(of("Approved"), 29);
  assert.equal(of("Approved", "c"), 6);
  assert.equal(of("Approved", "c", createdMs + 5.5 * hourMs), 5.5);
  assert.equal(of("Denied"), 6);
  assert.equal(of("Failed"), 6);
});
