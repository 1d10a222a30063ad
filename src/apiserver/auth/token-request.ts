// POST serviceaccounts/NAME/token: a bound token for the account, as documented for authentication.k8s.io/v1 TokenRequest.

import type { Clock } from "#base/clock.ts";
import { timestamp } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import { badRequest, conflict, invalidObject, notFound } from "#machinery/status.ts";
import type { BoundObject, TokenSigner } from "#pki/service-account-tokens.ts";
import type { TokenLookup } from "./authenticators.ts";

const minSeconds = 600;
const maxSeconds = 2 ** 32;
const defaultSeconds = 3600;

interface BoundReference {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
}

export interface TokenRequestObject extends KubeObject {
  spec?: {
    audiences?: string[];
    expirationSeconds?: number;
    boundObjectRef?: BoundReference;
  };
  status?: { token: string; expirationTimestamp: string };
}

const kinds: ReadonlyMap<string, { kind: BoundObject["kind"]; resource: string }> = new Map([
  ["Pod", { kind: "Pod", resource: "pods" }],
  ["Secret", { kind: "Secret", resource: "secrets" }],
  ["Node", { kind: "Node", resource: "nodes" }],
]);

function validate({
  expirationSeconds = defaultSeconds,
}: NonNullable<TokenRequestObject["spec"]>): FieldError[] {
  const errors: FieldError[] = [];
  if (expirationSeconds < minSeconds)
    errors.push(
      invalid("spec.expirationSeconds", expirationSeconds, "may not specify a duration less than 10 minutes"),
    );
  if (expirationSeconds > maxSeconds)
    errors.push(
      invalid(
        "spec.expirationSeconds",
        expirationSeconds,
        "may not specify a duration larger than 2^32 seconds",
      ),
    );
  return errors;
}

/** Answers with the request completed by its status. Throws ApiError 404, 409 or 422. */
export async function issueToken(
  options: {
    signer: TokenSigner;
    audiences: readonly string[];
    lookup: TokenLookup;
    clock: Clock;
    random: Random;
  },
  namespace: string,
  name: string,
  request: TokenRequestObject,
): Promise<TokenRequestObject> {
  const { signer, lookup, clock, random } = options;
  const spec = request.spec ?? {};
  const errors = validate(spec);
  if (errors.length > 0)
    throw invalidObject({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", errors);
  const account = await lookup.get("serviceaccounts", namespace, name);
  if (account === undefined) throw notFound({ group: "", resource: "serviceaccounts" }, name);

  const bound =
    spec.boundObjectRef === undefined ? undefined : await findBound(lookup, namespace, spec.boundObjectRef);
  const lifetimeSeconds = spec.expirationSeconds ?? defaultSeconds;
  const audiences = (spec.audiences ?? []).length > 0 ? (spec.audiences as string[]) : options.audiences;
  const nowMs = clock.now();
  const token = await signer.sign(
    { namespace, name, uid: account.metadata?.uid ?? "", ...bound },
    { audiences, id: random.uuid(), nowMs, lifetimeSeconds },
  );
  return {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    metadata: { name, namespace, creationTimestamp: timestamp(nowMs) },
    spec: { ...spec, audiences: [...audiences], expirationSeconds: lifetimeSeconds },
    status: { token, expirationTimestamp: timestamp((Math.floor(nowMs / 1000) + lifetimeSeconds) * 1000) },
  };
}

async function findBound(
  lookup: TokenLookup,
  namespace: string,
  reference: BoundReference,
): Promise<{ boundTo: BoundObject; node?: { name: string; uid?: string } }> {
  const { kind = "", apiVersion = "", name = "", uid } = reference;
  const known = apiVersion === "v1" || apiVersion === "" ? kinds.get(kind) : undefined;
  if (known === undefined)
    throw badRequest(
      `cannot bind token to object of type ${apiVersion.includes("/") ? "" : "/"}${apiVersion}, Kind=${kind}`,
    );
  const subject = { group: "", resource: known.resource };
  const object = (await lookup.get(known.resource, known.kind === "Node" ? "" : namespace, name)) as
    (KubeObject & { spec?: { nodeName?: string } }) | undefined;
  if (object === undefined) throw notFound(subject, name);
  const actual = object.metadata?.uid ?? "";
  if (uid !== undefined && uid !== "" && uid !== actual) {
    throw conflict(
      subject,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  const boundTo = { kind: known.kind, name, uid: actual };
  const nodeName = known.kind === "Pod" ? object.spec?.nodeName : undefined;
  if (!nodeName) return { boundTo };
  const node = await lookup.get("nodes", "", nodeName);
  return {
    boundTo,
    node: { name: nodeName, ...(node?.metadata?.uid === undefined ? {} : { uid: node.metadata.uid }) },
  };
}
