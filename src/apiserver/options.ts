// Query parameters, checked. A parameter that this server does not honour is refused, never ignored. Pure.

import { badRequest, invalidObject } from "#machinery/status.ts";
import {
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from "#machinery/field-error.ts";
import type { ApiRequest } from "#machinery/api-request.ts";
import { servesCbor, type RequestContext, type WriteOptions } from "./context.ts";
import type { FieldValidation } from "./decode-body.ts";

/** `timeout` is seen to for all (deadline.ts); `--request-timeout` sends it with everything. */
const always = ["pretty", "timeout"];
const fieldValidations = ["", "Ignore", "Strict", "Warn"];
const known: Readonly<Record<string, readonly string[]>> = {
  get: ["resourceVersion"],
  list: [
    "labelSelector",
    "fieldSelector",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "watch",
    "allowWatchBookmarks",
    "includeObject",
    "sendInitialEvents",
  ],
  watch: [
    "labelSelector",
    "fieldSelector",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "watch",
    "allowWatchBookmarks",
    "includeObject",
    "sendInitialEvents",
  ],
  create: ["dryRun", "fieldManager", "fieldValidation"],
  update: ["dryRun", "fieldManager", "fieldValidation"],
  patch: ["dryRun", "fieldManager", "fieldValidation", "force"],
  delete: [
    "dryRun",
    "gracePeriodSeconds",
    "propagationPolicy",
    "orphanDependents",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
  ],
  deletecollection: [
    "dryRun",
    "gracePeriodSeconds",
    "propagationPolicy",
    "orphanDependents",
    "labelSelector",
    "fieldSelector",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
  ],
};

/** Refuses parameters that mean nothing to this verb. `includeObject` and Tables come with reads of every kind. */
export function checkParameters(verb: string, query: URLSearchParams): void {
  const allowed = known[verb];
  if (allowed === undefined) return;
  for (const name of query.keys()) {
    if (!allowed.includes(name) && !always.includes(name) && !(verb === "get" && name === "includeObject")) {
      throw badRequest(`the query parameter ${JSON.stringify(name)} is not supported for ${verb}`);
    }
  }
}

const managerBytesMax = 128;
const optionKinds: Readonly<Record<string, string>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
};

/** `U+0007`, as documented for characters that do not print. */
const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

function checkManager(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > managerBytesMax) errors.push(tooLong("fieldManager", managerBytesMax));
  let at = 0;
  for (const character of manager) {
    if (/[\p{C}\p{Zl}\p{Zp}]/u.test(character))
      errors.push(
        invalid("fieldManager", manager, `invalid character ${codePoint(character)} (at position ${at})`),
      );
    at += Buffer.byteLength(character);
  }
  return errors;
}

export const dryRunErrors = (dryRun: readonly string[]): FieldError[] =>
  dryRun.every((value) => value === "All") ? [] : [notSupported("dryRun", dryRun, ["All"])];

export const applyType = "application/apply-patch+yaml";
export const applyCborType = "application/apply-patch+cbor";

export function mediaTypeOf({ headers }: ApiRequest): string {
  const [type = ""] = (headers["content-type"] ?? "").split(";", 1);
  return type.trim();
}

/** A patch that is a configuration to apply. */
export function isApply(context: RequestContext): boolean {
  const type = mediaTypeOf(context.request);
  return type === applyType || (type === applyCborType && servesCbor(context));
}

/** The options that writes have in common; 422 for what they cannot be. */
export function writeOptions(context: RequestContext): WriteOptions {
  const { query, info } = context;
  const dryRun = query.getAll("dryRun");
  const fieldValidation = query.get("fieldValidation") ?? "";
  const errors: FieldError[] = [];
  if (info.verb === "patch") {
    const applies = isApply(context);
    if (applies && (query.get("fieldManager") ?? "") === "")
      errors.push(required("fieldManager", "is required for apply patch"));
    if (!applies && query.has("force"))
      errors.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  errors.push(...checkManager(query.get("fieldManager") ?? ""), ...dryRunErrors(dryRun));
  if (!fieldValidations.includes(fieldValidation))
    errors.push(notSupported("fieldValidation", fieldValidation, fieldValidations));
  if (errors.length > 0) {
    const kind = optionKinds[info.verb] ?? "UpdateOptions";
    throw invalidObject({ group: "meta.k8s.io", kind }, "", errors);
  }
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: (fieldValidation || "Warn") as FieldValidation,
    cbor: servesCbor(context),
  };
}

/** A query parameter that must be a whole number. */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Present without a value is yes, as documented. */
export function booleanParameter(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return text.toLowerCase() !== "false" && text !== "0";
}

/** A resource version from a client: undefined when absent, else a number. `what` begins the refusal. */
export function resourceVersionParameter(text: string | null, what = ""): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text))
    throw badRequest(
      `${what}resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

/** Who reads answers as they come, with eyes. */
const readers = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** Indented, because the query says so, or because it says nothing and the client is one that people look at. */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  return booleanParameter(query, "pretty") ?? readers.test(userAgent ?? "");
}

const matches = ["Exact", "NotOlderThan"];

/** What the parameters of a list or a watch contradict each other in; 422. */
export function checkListOptions(query: URLSearchParams, verb: "list" | "watch"): void {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = query.get("resourceVersion") ?? "";
  const initial = query.has("sendInitialEvents");
  const errors: FieldError[] = [];
  const refuse = (why: string): void => void errors.push(forbidden("resourceVersionMatch", why));
  if (verb === "watch") {
    if (initial && match !== "NotOlderThan")
      refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (!initial && match !== "")
      refuse("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  } else if (match !== "") {
    if (version === "") refuse("resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (query.get("continue")) refuse("resourceVersionMatch is forbidden when continue is provided");
    if (!matches.includes(match)) errors.push(notSupported("resourceVersionMatch", match, [...matches, ""]));
    if (match === "Exact" && version === "0")
      refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  if (verb === "list" && initial)
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}
