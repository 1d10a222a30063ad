// RFC 6902 over a library: what is wrong with a patch comes back as the documented client error.

import { applyPatch, type Operation } from "rfc6902";
import { badRequest, failure } from "../status.ts";

/** Operations in one patch; more are refused. */
export const jsonPatchOperationsMax = 10_000;

const knownOperations = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/** Applies `patch` to `document` in place and returns the result (a new root when the patch replaces it). */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest(
      "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
    );
  if (patch.length > jsonPatchOperationsMax) {
    throw failure(
      413,
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${patch.length}`,
    );
  }
  for (const [at, operation] of (patch as { op?: unknown; path?: unknown }[]).entries()) {
    if (
      typeof operation !== "object" ||
      operation === null ||
      !knownOperations.has(String(operation.op)) ||
      typeof operation.path !== "string"
    ) {
      throw badRequest(`error decoding patch: operation ${at} needs a known "op" and a string "path"`);
    }
  }
  const holder = { root: document };
  const shifted = (patch as (Operation & { from?: string })[]).map((operation) => ({
    ...operation,
    path: `/root${operation.path}`,
    ...(operation.from === undefined ? {} : { from: `/root${operation.from}` }),
  })) as Operation[];
  const problem = applyPatch(holder, shifted).find((error) => error !== null);
  if (problem !== undefined) {
    throw failure(422, "Invalid", `the server rejected our request due to an error in our request`, {
      causes: [{ reason: problem.name, message: problem.message.replace("/root", "") }],
    });
  }
  return holder.root;
}
