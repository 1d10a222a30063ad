// What each signer of this system gives certificates for, and which requests of kubelets are recognised. Pure.

import type { CertificateSigningRequest } from "#machinery/gen/types/certificates-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import type { RequestContent } from "#pki/certificate-requests.ts";

export type ReadRequest = DeepReadonly<CertificateSigningRequest>;

export const clientSigner = "kubernetes.io/kube-apiserver-client";
export const kubeletClientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
export const kubeletServingSigner = "kubernetes.io/kubelet-serving";
export const legacySigner = "kubernetes.io/legacy-unknown";

const nodeGroup = "system:nodes";
const nodePrefix = "system:node:";

export const conditionOf = ({ status }: ReadRequest, type: string) =>
  status?.conditions?.find((one) => one.type === type);

/** Both ways of listing usages: elliptic keys encipher nothing. */
function hasUsages(usages: readonly string[], purpose: string): boolean {
  const wanted = new Set(["digital signature", "key encipherment", purpose]);
  return (
    usages.every((usage) => wanted.has(usage)) &&
    usages.includes("digital signature") &&
    usages.includes(purpose)
  );
}

const isNodeSubject = ({ commonName, organizations }: RequestContent): string | undefined => {
  if (organizations.length !== 1 || organizations[0] !== nodeGroup)
    return "subject organization is not system:nodes";
  return commonName.startsWith(nodePrefix)
    ? undefined
    : "subject common name does not begin with system:node:";
};

function kubeletClientError(usages: readonly string[], content: RequestContent): string | undefined {
  const { dnsNames, ipAddresses, otherNames } = content;
  const subject = isNodeSubject(content);
  if (subject !== undefined) return subject;
  if (dnsNames.length + ipAddresses.length + otherNames.length > 0) return "subjectAltNames are not allowed";
  return hasUsages(usages, "client auth")
    ? undefined
    : "usages did not match [digital signature key encipherment client auth] or [digital signature client auth]";
}

function kubeletServingError(usages: readonly string[], content: RequestContent): string | undefined {
  const { dnsNames, ipAddresses, otherNames } = content;
  const subject = isNodeSubject(content);
  if (subject !== undefined) return subject;
  if (otherNames.length > 0) return "email and URI subjectAltNames are not allowed";
  if (dnsNames.length + ipAddresses.length === 0) return "DNS or IP subjectAltName is required";
  return hasUsages(usages, "server auth")
    ? undefined
    : "usages did not match [digital signature key encipherment server auth] or [digital signature server auth]";
}

const clientUsages = ["digital signature", "key encipherment", "client auth"];

/** Why a signer does not sign this; undefined when it does. */
export function signingError(
  signer: string,
  usages: readonly string[],
  content: RequestContent,
): string | undefined {
  switch (signer) {
    case clientSigner:
      if (usages.some((usage) => !clientUsages.includes(usage)))
        return `invalid usage for client certificate: only ${clientUsages.join(", ")} are allowed`;
      return usages.includes("client auth")
        ? undefined
        : "invalid usage for client certificate: client auth is required";
    case kubeletClientSigner:
      return kubeletClientError(usages, content);
    case kubeletServingSigner:
      return kubeletServingError(usages, content);
    default:
      return undefined;
  }
}

export interface Recognized {
  /** What its sender must be allowed to create. */
  readonly subresource: "selfnodeclient" | "nodeclient";
  readonly message: string;
}

/** As what a kubelet's request may be approved; the first that its sender is allowed counts. */
export function recognize(request: ReadRequest, content: RequestContent): Recognized[] {
  const { signerName, usages = [], username } = request.spec ?? {};
  if (signerName !== kubeletClientSigner || kubeletClientError(usages, content) !== undefined) return [];
  const approving = (what: string): string => `Auto approving ${what} after SubjectAccessReview.`;
  const self: Recognized[] =
    username === content.commonName
      ? [{ subresource: "selfnodeclient", message: approving("self kubelet client certificate") }]
      : [];
  return [...self, { subresource: "nodeclient", message: approving("kubelet client certificate") }];
}

const hourMs = 3_600_000;
const approvedMs = hourMs;
const deniedMs = hourMs;
const pendingMs = 24 * hourMs;

/** When a request is over, by its age and what became of it. */
export function requestEndsMs(request: ReadRequest, certificateEndsMs: number | undefined): number {
  const createdMs = Date.parse(request.metadata?.creationTimestamp ?? "") || 0;
  const at = (type: string): number | undefined => {
    const condition = conditionOf(request, type);
    if (condition === undefined) return undefined;
    return Date.parse(condition.lastUpdateTime ?? condition.lastTransitionTime ?? "") || createdMs;
  };
  const deadEndMs = at("Denied") ?? at("Failed");
  if (deadEndMs !== undefined) return deadEndMs + deniedMs;
  const approved = at("Approved");
  if (approved === undefined) return createdMs + pendingMs;
  if (!request.status?.certificate) return approved + pendingMs;
  return Math.min(approved + approvedMs, certificateEndsMs ?? Infinity);
}
