// CertificateSigningRequest: somebody asks a signer for a certificate; others approve, the signer answers in the status.

import { isDeepStrictEqual } from "node:util";
import { timestamp } from "#base/clock.ts";
import { defineResource, type StrategyContext } from "#machinery/define-resource.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "#machinery/gen/types/certificates-v1.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, checkPathSegment } from "#machinery/names.ts";
import { humanDuration } from "../age.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { keep } from "../field-checks.ts";
import { certificateError, requestError } from "./certificate-request.ts";

type Condition = CertificateSigningRequestCondition;

const secondsMin = 600;
const usages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
/** Said once, and for good. */
const final: ReadonlySet<string> = new Set(["Approved", "Denied", "Failed"]);
const approval: ReadonlySet<string> = new Set(["Approved", "Denied"]);

function validateSigner(name: string | undefined): FieldError[] {
  const path = "spec.signerName";
  if (!name) return [required(path)];
  const [domain = "", rest, ...more] = name.split("/");
  if (rest === undefined || more.length > 0)
    return [
      invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
    ];
  const errors = domain
    .split(".")
    .flatMap((label) =>
      checkDnsLabel(label).map((why) =>
        invalid(path, domain, `validating label ${JSON.stringify(label)}: ${why}`),
      ),
    );
  if (!domain.includes("."))
    errors.push(invalid(path, domain, "should be a domain with at least two segments separated by dots"));
  return [
    ...errors,
    ...checkDnsSubdomain(rest).map((why) =>
      invalid(path, rest, `validating label ${JSON.stringify(rest)}: ${why}`),
    ),
  ];
}

function validateConditions({ status }: CertificateSigningRequest): FieldError[] {
  const conditions = status?.conditions ?? [];
  return conditions.flatMap(({ type, status: is }, at) => {
    const own = index("status.conditions", at);
    const errors: FieldError[] = [];
    const allowed = final.has(type) ? ["True"] : ["False", "True", "Unknown"];
    if (!type) errors.push(required(child(own, "type")));
    if (!is) errors.push(required(child(own, "status")));
    else if (!allowed.includes(is)) errors.push(notSupported(child(own, "status"), is, allowed));
    const other = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : "";
    const before = conditions.slice(0, at);
    if (other !== "" && before.some((one) => one.type === other))
      errors.push(invalid(child(own, "type"), type, "Approved and Denied conditions are mutually exclusive"));
    if (before.some((one) => one.type === type)) errors.push(duplicate(child(own, "type"), type));
    return errors;
  });
}

function validate(object: CertificateSigningRequest): FieldError[] {
  const { request = "", usages: wanted = [], expirationSeconds: seconds, signerName } = object.spec ?? {};
  const why = requestError(request);
  const errors = why === undefined ? [] : [invalid("spec.request", request, why)];
  if (wanted.length === 0) errors.push(required("spec.usages"));
  for (const [at, usage] of wanted.entries()) {
    if (!usages.includes(usage)) errors.push(notSupported(index("spec.usages", at), usage, usages));
    if (wanted.indexOf(usage) < at) errors.push(duplicate(index("spec.usages", at), usage));
  }
  if (signerName === "kubernetes.io/legacy-unknown")
    errors.push(
      invalid("spec.signerName", signerName, "the legacy signerName is not allowed via this API version"),
    );
  else errors.push(...validateSigner(signerName));
  if (seconds !== undefined && seconds < secondsMin)
    errors.push(
      invalid(
        "spec.expirationSeconds",
        seconds,
        `may not specify a duration less than ${secondsMin} seconds (10 minutes)`,
      ),
    );
  return [...errors, ...validateConditions(object)];
}

function validateStatus(next: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = validateConditions(next);
  const [certificate = "", before = ""] = [next.status?.certificate, old.status?.certificate];
  const path = "status.certificate";
  if (before !== "" && certificate !== before)
    errors.push(forbidden(path, "updates may not modify existing certificate content"));
  else if (certificate !== before) {
    const why = certificateError(certificate);
    if (why !== undefined) errors.push(invalid(path, certificate, why));
  }
  return errors;
}

/** Times that a writer leaves out are now; a condition that stays as it was keeps its own. */
function setTimes(next: CertificateSigningRequest, old: CertificateSigningRequest, nowMs: number): void {
  const now = timestamp(nowMs);
  for (const condition of next.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    if (condition.lastTransitionTime) continue;
    const before = old.status?.conditions?.find(({ type }) => type === condition.type);
    condition.lastTransitionTime =
      before?.status === condition.status && before.lastTransitionTime ? before.lastTransitionTime : now;
  }
}

/** What was said once stays: an approval, a denial, a failure cannot be taken back. */
function keepFinal(next: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return [...final]
    .filter((type) => conditionOf(old, type) !== undefined && conditionOf(next, type) === undefined)
    .map((type) => notAllowed("remove", type));
}

/** Who writes the status neither approves nor denies. */
function keepApproval(next: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return [...approval].flatMap((type) => {
    const [given, before] = [conditionOf(next, type), conditionOf(old, type)];
    if (given === undefined || isDeepStrictEqual(given, before)) return [];
    return [notAllowed(before === undefined ? "add" : "modify", type)];
  });
}

const conditionOf = ({ status }: CertificateSigningRequest, type: string): Condition | undefined =>
  status?.conditions?.find((one) => one.type === type);

const notAllowed = (verb: string, type: string): FieldError =>
  forbidden("status.conditions", `updates may not ${verb} a condition of type ${JSON.stringify(type)}`);

function prepareApproval(
  next: CertificateSigningRequest,
  old: CertificateSigningRequest,
  { nowMs }: StrategyContext,
): void {
  keep(next, old, "spec");
  const status = (next.status ??= {});
  keep(status, old.status ?? {}, "certificate");
  setTimes(next, old, nowMs);
}

function stateOf({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((one) => one.type === type);
  const verdict = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  return `${verdict}${has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}

export const certificateSigningRequest = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  resource: "certificatesigningrequests",
  shortNames: ["csr"],
  namespaced: false,
  validateName: checkPathSegment,
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName", ({ spec }) => spec.signerName || "<none>"),
    column("Requestor", ({ spec }) => spec.username ?? ""),
    column("RequestedDuration", ({ spec }) =>
      spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
    ),
    column("Condition", stateOf),
  ],
  applyDefaults: ({ spec }) => {
    if (spec !== undefined && (spec.usages ?? []).length === 0 && spec.usages !== undefined)
      delete spec.usages;
  },
  prepareForCreate: (draft, { caller }) => {
    const spec = (draft.spec ??= { request: "", signerName: "" });
    spec.username = caller?.name ?? "";
    spec.groups = [...(caller?.groups ?? [])];
    delete spec.uid;
    delete spec.extra;
    if (caller?.uid) spec.uid = caller.uid;
    const extra = Object.entries(caller?.extra ?? {});
    if (extra.length > 0) spec.extra = Object.fromEntries(extra.map(([key, values]) => [key, [...values]]));
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "spec", "status"),
  validate,
  validateUpdate: () => [],
  selectableFields: { "spec.signerName": ({ spec }) => spec?.signerName ?? "" },
  status: {
    prepareForUpdate: (next, old, { nowMs }) => setTimes(next, old, nowMs),
    validateUpdate: (next, old) => [
      ...validateStatus(next, old),
      ...keepFinal(next, old),
      ...keepApproval(next, old),
    ],
  },
  parts: {
    approval: {
      prepareForUpdate: prepareApproval,
      validateUpdate: (next, old) => [...validateConditions(next), ...keepFinal(next, old)],
    },
  },
  resetFields: {
    "": ["spec", "status"],
    status: ["spec"],
    approval: ["spec", "status.certificate"],
  },
});
