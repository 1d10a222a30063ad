// One question to one admission webhook: the AdmissionReview that is sent, and what its answer says.
import type { AdmissionResponse } from "#machinery/gen/types/admission-v1.ts";
import type { MutatingWebhook, ValidatingWebhook } from "#machinery/gen/types/admissionregistration-v1.ts";
import { isObject } from "#machinery/json-object.ts";
import { ApiError, badRequest, internalError, type Status } from "#machinery/status.ts";
import { toError } from "#base/assert.ts";
import { askWebhook, type WebhookDeps } from "../http/webhook-client.ts";
import type { RequestFacts } from "#cel/admission-variables.ts";
import type { AdmissionRequest } from "./contract.ts";

export type Webhook = MutatingWebhook | ValidatingWebhook;

const defaultTimeoutSeconds = 10;
const reviewVersions: ReadonlySet<string> = new Set(["v1", "v1beta1"]);

/** The webhook gave no answer that counts: what that means is for its failure policy to say. */
export class WebhookFailure extends Error {}

export interface Question {
  readonly uid: string;
  readonly request: AdmissionRequest;
  readonly facts: RequestFacts;
  /** Its answer may have a patch. */
  readonly mutating: boolean;
}

const optionKinds: Readonly<Record<string, string>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
};

function reviewOf(version: string, { uid, request, facts }: Question): object {
  const { subResource, requestSubResource, name, namespace, options: _options, ...rest } = facts;
  const kind = optionKinds[request.operation];
  return {
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...rest,
      ...(subResource === "" ? {} : { subResource, requestSubResource }),
      ...(name === "" ? {} : { name }),
      ...(namespace === "" ? {} : { namespace }),
      object: request.object ?? null,
      oldObject: request.old ?? null,
      options: kind === undefined ? null : { kind, apiVersion: "meta.k8s.io/v1" },
    },
  };
}

/** The answer of a webhook that allows the request. Throws the refusal, or a `WebhookFailure`. */
export async function review(
  hook: Webhook,
  question: Question,
  deps: WebhookDeps,
): Promise<AdmissionResponse> {
  const { dryRun } = question.request;
  if (dryRun && hook.sideEffects !== "None" && hook.sideEffects !== "NoneOnDryRun")
    throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`);
  const version = hook.admissionReviewVersions.find((one) => reviewVersions.has(one)) ?? "v1";
  const timeoutMs = (hook.timeoutSeconds ?? defaultTimeoutSeconds) * 1000;
  const body = reviewOf(version, question);
  const answer = await askWebhook({ config: hook.clientConfig, body, timeoutMs }, deps).catch(
    (error: unknown) => {
      throw new WebhookFailure(`failed to call webhook: ${toError(error).message}`);
    },
  );
  const response = checked(answer, version, question);
  for (const warning of response.warnings ?? []) question.request.warn(warning);
  if (response.allowed === true) return response;
  throw refusal(hook.name, response.status as Partial<Status> | undefined);
}

function checked(answer: unknown, version: string, { uid, mutating }: Question): AdmissionResponse {
  const invalid = (why: string): never => {
    throw new WebhookFailure(`received invalid webhook response: ${why}`);
  };
  if (!isObject(answer)) return invalid("the answer is no object");
  const { kind, apiVersion, response } = answer;
  const wanted = `admission.k8s.io/${version}`;
  // The older version is answered without a type, too.
  if (version === "v1" && (kind !== "AdmissionReview" || apiVersion !== wanted))
    return invalid(
      `expected webhook response of ${wanted}, Kind=AdmissionReview, got ${String(apiVersion ?? "")}, Kind=${String(kind ?? "")}`,
    );
  if (!isObject(response)) return invalid("webhook response was absent");
  if (version === "v1" && response["uid"] !== uid)
    return invalid(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`,
    );
  const { patch, patchType } = response;
  if (mutating && patch !== undefined && patch !== null && version === "v1") {
    if (patchType === undefined || patchType === null)
      return invalid("webhook returned response.patch but not response.patchType");
    if (patchType !== "JSONPatch")
      return invalid(`webhook returned invalid response.patchType of ${JSON.stringify(patchType)}`);
  }
  return response as AdmissionResponse;
}

function refusal(name: string, status: Partial<Status> = {}): ApiError {
  const { code = 0, reason = "", message = "", details } = status;
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const told = message || reason;
  return new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: told === "" ? `${by} without explanation` : `${by}: ${told}`,
    ...(reason === "" ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: code < 400 ? 400 : code,
  });
}

/** A failure of a webhook that may not be ignored. */
export const failedCall = (name: string, { message }: WebhookFailure): ApiError =>
  internalError(`failed calling webhook ${JSON.stringify(name)}: ${message}`);
