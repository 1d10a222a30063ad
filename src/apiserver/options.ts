// Query parameters, checked. A parameter that this server does not honour is refused, never ignored. Pure.

import { badRequest, failure } from "#machinery/status.ts";
import { notSupported, fieldErrorBody, type FieldError } from "#machinery/field-error.ts";
import type { WriteOptions } from "./context.ts";
import type { FieldValidation } from "./decode-body.ts";

/** `timeout` is how long the client will wait, which it sees to itself; `--request-timeout` sends it with everything. */
const always = ["pretty", "timeout"];
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

function invalidOption(error: FieldError): never {
  throw failure(422, "Invalid", `${error.field}: ${fieldErrorBody(error)}`, {
    causes: [{ reason: error.type, message: fieldErrorBody(error), field: error.field }],
  });
}

export function writeOptions(query: URLSearchParams): WriteOptions {
  const dryRun = query.getAll("dryRun");
  for (const value of dryRun) if (value !== "All") invalidOption(notSupported("dryRun", value, ["All"]));
  const fieldValidation = query.get("fieldValidation") ?? "Warn";
  if (!["Strict", "Warn", "Ignore", ""].includes(fieldValidation)) {
    invalidOption(notSupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]));
  }
  return { dryRun: dryRun.length > 0, fieldValidation: (fieldValidation || "Warn") as FieldValidation };
}

/** A query parameter that must be a whole number. */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

export function booleanParameter(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return text !== "false" && text !== "0";
}

/** A resource version from a client: undefined when absent, else a number. */
export function resourceVersionParameter(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: invalid resource version`);
  return Number(text);
}
