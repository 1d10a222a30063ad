// Who may approve and sign certificate requests: whoever is allowed to `approve` or `sign` for the signer that a request
// names. CertificateSubjectRestriction: nobody becomes one of system:masters by a request.

import type { Caller } from "#machinery/api-request.ts";
import type { CertificateSigningRequest } from "#machinery/gen/types/certificates-v1.ts";
import { forbiddenError } from "#machinery/status.ts";
import { organizationsOf } from "#resources/certificates/certificate-request.ts";
import { isDeepStrictEqual } from "node:util";
import type { Authorizer } from "../auth/contract.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./contract.ts";

const group = "certificates.k8s.io";
const clientSigner = "kubernetes.io/kube-apiserver-client";

async function mayUseSigner(
  authorizer: Authorizer,
  caller: Caller,
  verb: "approve" | "sign",
  signer: string,
): Promise<boolean> {
  // The signer itself, or all of its domain.
  for (const name of [signer, `${signer.split("/")[0]}/*`]) {
    const { verdict } = await authorizer.authorize({
      caller,
      verb,
      isResource: true,
      group,
      version: "*",
      resource: "signers",
      subresource: "",
      namespace: "",
      name,
      path: "",
      fields: [],
    });
    if (verdict === "allow") return true;
  }
  return false;
}

const isRequest = ({ resource }: AdmissionRequest, subresource: string, given: string): boolean =>
  resource.group === group && resource.resource === "certificatesigningrequests" && subresource === given;

async function check(
  authorizer: Authorizer,
  { caller, resource, name, old }: AdmissionRequest,
  verb: "approve" | "sign",
): Promise<void> {
  const signer = (old as CertificateSigningRequest | undefined)?.spec?.signerName ?? "";
  if (await mayUseSigner(authorizer, caller, verb, signer)) return;
  throw forbiddenError(
    resource,
    name,
    `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`,
  );
}

const certificateRequests: ReadonlySet<string> = new Set(["certificates.k8s.io/certificatesigningrequests"]);

export const certificateApproval = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "CertificateApproval",
  resources: certificateRequests,
  async validate(request) {
    if (!isRequest(request, "approval", request.subresource) || request.operation !== "UPDATE") return;
    await check(authorizer, request, "approve");
  },
});

export const certificateSigning = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "CertificateSigning",
  resources: certificateRequests,
  async validate(request) {
    if (!isRequest(request, "status", request.subresource) || request.operation !== "UPDATE") return;
    const [next, old] = [request.object, request.old] as (CertificateSigningRequest | undefined)[];
    const same =
      next?.status?.certificate === old?.status?.certificate &&
      isDeepStrictEqual(next?.status?.conditions, old?.status?.conditions);
    if (!same) await check(authorizer, request, "sign");
  },
});

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  validate(request) {
    if (!isRequest(request, "", request.subresource) || request.operation !== "CREATE") return;
    const { spec } = request.object as CertificateSigningRequest;
    if (spec.signerName !== clientSigner || !organizationsOf(spec.request).includes("system:masters")) return;
    throw forbiddenError(
      request.resource,
      request.name,
      `use of ${clientSigner} signer with system:masters group is not allowed`,
    );
  },
};
