// The `continue` of a list: where it goes on, and at which revision. Opaque to clients; checked when it comes back. Pure.

import { posix } from "node:path";
import { JsonSyntaxError, parseJson } from "#machinery/schema/json.ts";
import { badRequest } from "#machinery/status.ts";

const version = "meta.k8s.io/v1";
/** In place of a revision: go on with what is there now, consistent with nothing that was listed before. */
export const newestRevision = -1;

export interface Continuation {
  readonly revision: number;
  /** The first key that is wanted. */
  readonly start: string;
}

function refuse(why: string): never {
  throw badRequest(`invalid continue token: continue key is not valid${why}`);
}

function parse(token: string): { v?: unknown; rv?: unknown; start?: unknown } {
  const bad = token.search(/[^A-Za-z0-9_-]/);
  if (bad >= 0) refuse(`: illegal base64 data at input byte ${bad}`);
  try {
    const { value } = parseJson(Buffer.from(token, "base64url").toString());
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    if (error instanceof JsonSyntaxError) refuse(`: ${error.message}`);
    throw error;
  }
}

/** `prefix` is that of the keys that the list may see; no token leads out of it. */
export function decodeContinue(token: string, prefix: string): Continuation {
  const { v, rv, start } = parse(token);
  if (v !== version) refuse(`: server does not recognize this encoded version ${String(v ?? "")}`);
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv === 0 || rv < newestRevision)
    return refuse(`: incorrect encoded start resourceVersion (version ${version})`);
  if (typeof start !== "string" || start === "")
    return refuse(`: encoded start key empty (version ${version})`);
  const path = start.startsWith("/") ? start : `/${start}`;
  if (posix.normalize(path) !== path) refuse(`: ${start}`);
  return { revision: rv, start: `${prefix}${path.slice(1)}` };
}

export function encodeContinue({ revision, start }: Continuation, prefix: string): string {
  return Buffer.from(
    JSON.stringify({ v: version, rv: revision, start: start.slice(prefix.length) }),
  ).toString("base64url");
}
