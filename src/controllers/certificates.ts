// Certificate requests: those of kubelets are approved when their sender may have one, approved ones are signed, and all
// go after a while. What is asked of each is in certificates/.
// Watches: certificatesigningrequests.  Owns: nothing.
// Writes: certificatesigningrequests (delete), /approval, /status; asks subjectaccessreviews.
// Why run(): requests are read and signed, and permissions asked for, half-way.

import { X509Certificate } from "node:crypto";
import { toError } from "#base/assert.ts";
import { timestamp } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { CertificateSigningRequests } from "#client/refs.ts";
import type { CertificateSigningRequest } from "#machinery/gen/types/certificates-v1.ts";
import { readRequest, signRequest, type RequestContent } from "#pki/certificate-requests.ts";
import type { KeyPair } from "#pki/certificates.ts";
import { deleteAction, statusAction, updateAction } from "#reconcile/action.ts";
import {
  defineController,
  watching,
  type ControllerDefinition,
  type RunContext,
} from "#reconcile/controller.ts";
import {
  clientSigner,
  conditionOf,
  kubeletClientSigner,
  kubeletServingSigner,
  legacySigner,
  recognize,
  requestEndsMs,
  signingError,
  type ReadRequest,
} from "./certificates/request-rules.ts";

const hourMs = 3_600_000;
/** `--cluster-signing-duration` */
const signingMsDefault = 8760 * hourMs;
/** Certificates start in the past, for machines whose clock is behind. */
const clockSkewMs = 300_000;
const signers: ReadonlySet<string> = new Set([
  clientSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  legacySigner,
]);

const pemOf = ({ spec }: ReadRequest): string => Buffer.from(spec?.request ?? "", "base64").toString();

async function contentOf(request: ReadRequest): Promise<RequestContent | Error> {
  try {
    return await readRequest(pemOf(request));
  } catch (thrown) {
    return toError(thrown);
  }
}

const watch = watching<CertificateSigningRequest>({
  ref: CertificateSigningRequests,
  keys: ({ metadata }) => [metadata?.name ?? ""],
});

const define = (name: string, run: (request: ReadRequest, io: RunContext) => Promise<number | undefined>) =>
  defineController<ReadRequest>({
    name,
    owns: [],
    writes: [CertificateSigningRequests],
    watches: [watch],
    read: (key, reads) => reads.of<CertificateSigningRequest>(CertificateSigningRequests).get(key),
    plan: () => ({ actions: [] }),
    run,
  });

function withCondition(
  request: ReadRequest,
  type: string,
  reason: string,
  message: string,
  nowMs: number,
): ReadRequest {
  const now = timestamp(nowMs);
  const condition = { type, status: "True", reason, message, lastUpdateTime: now, lastTransitionTime: now };
  return {
    ...request,
    status: { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] },
  };
}

async function mayCreate(client: Client, { spec }: ReadRequest, subresource: string): Promise<boolean> {
  const { username = "", uid, groups, extra } = spec ?? {};
  const review = await client.json<{ status?: { allowed?: boolean } }>(
    "POST",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: username,
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: {
          group: "certificates.k8s.io",
          resource: "certificatesigningrequests",
          verb: "create",
          subresource,
          version: "*",
        },
      },
    },
  );
  return review.status?.allowed === true;
}

async function approve(request: ReadRequest, { client, nowMs, execute }: RunContext): Promise<undefined> {
  const isSettled = ["Approved", "Denied"].some((type) => conditionOf(request, type) !== undefined);
  if (isSettled || request.status?.certificate || request.spec?.signerName !== kubeletClientSigner) return;
  const content = await contentOf(request);
  if (content instanceof Error) return;
  const recognized = recognize(request, content);
  for (const { subresource, message } of recognized) {
    if (!(await mayCreate(client, request, subresource))) continue;
    const next = withCondition(request, "Approved", "AutoApproved", message, nowMs);
    await execute([updateAction(CertificateSigningRequests, next, { subresource: "approval" })]);
    return;
  }
  if (recognized.length > 0) {
    const names = recognized.map(({ subresource }) => subresource).join(" ");
    throw new Error(
      `recognized csr ${JSON.stringify(request.metadata?.name)} as [${names}] but subject access review was not approved`,
    );
  }
}

async function sign(
  request: ReadRequest,
  { nowMs, execute }: RunContext,
  authority: KeyPair,
  signingMs: number,
): Promise<undefined> {
  const { signerName = "", usages = [], expirationSeconds } = request.spec ?? {};
  const isApproved =
    conditionOf(request, "Approved") !== undefined && conditionOf(request, "Denied") === undefined;
  const isDone = conditionOf(request, "Failed") !== undefined || Boolean(request.status?.certificate);
  if (!isApproved || isDone || !signers.has(signerName)) return;
  const content = await contentOf(request);
  const why = content instanceof Error ? content.message : signingError(signerName, usages, content);
  if (why !== undefined) {
    const failed = withCondition(request, "Failed", "SignerValidationFailure", why, nowMs);
    await execute([statusAction(CertificateSigningRequests, failed)]);
    return;
  }
  const lifeMs = Math.min(signingMs, expirationSeconds === undefined ? Infinity : expirationSeconds * 1000);
  const pem = await signRequest(authority, pemOf(request), {
    usages,
    notBeforeMs: nowMs - clockSkewMs,
    notAfterMs: nowMs + lifeMs,
  });
  const certificate = Buffer.from(pem).toString("base64");
  await execute([
    statusAction(CertificateSigningRequests, { ...request, status: { ...request.status, certificate } }),
  ]);
}

function certificateEndsMs({ status }: ReadRequest): number | undefined {
  if (!status?.certificate) return undefined;
  try {
    return Date.parse(new X509Certificate(Buffer.from(status.certificate, "base64")).validTo);
  } catch {
    return undefined; // what a foreign signer wrote is its business
  }
}

async function clean(request: ReadRequest, { nowMs, execute }: RunContext): Promise<number | undefined> {
  const leftMs = requestEndsMs(request, certificateEndsMs(request)) - nowMs;
  if (leftMs > 0) return Math.min(leftMs, hourMs);
  await execute([deleteAction(CertificateSigningRequests, request)]);
  return undefined;
}

export const certificateApprovingController: ControllerDefinition = define(
  "csrapproving-controller",
  approve,
);

export const certificateSigningController = (
  authority: KeyPair,
  signingMs: number = signingMsDefault,
): ControllerDefinition =>
  define("csrsigning-controller", (request, io) => sign(request, io, authority, signingMs));

export const certificateCleanerController: ControllerDefinition = define("csrcleaner-controller", clean);
