// Stage 3: a caller that asks to act as somebody else (`kubectl --as`), by the documented Impersonate-* headers. The
// caller must be allowed the verb "impersonate" on everything that it asks to be.

import type { Caller } from "#machinery/api-request.ts";
import { forbiddenError, internalError } from "#machinery/status.ts";
import { forbiddenReason, type Attributes } from "./auth/contract.ts";
import type { ServerContext } from "./context.ts";

interface Wanted {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const extraPrefix = "impersonate-extra-";
const serviceAccountName = /^system:serviceaccount:([^:]+):([^:]+)$/;
const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";

const values = (header: string | undefined): string[] =>
  (header ?? "")
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** Whom the headers ask to be; undefined where there are none. */
export function wantedIdentity(headers: Readonly<Record<string, string>>): Wanted | undefined {
  const names = Object.keys(headers).filter((name) => name.startsWith("impersonate-"));
  if (names.length === 0) return undefined;
  const user = headers["impersonate-user"] ?? "";
  if (user === "") throw internalError(`requested ${names.join(", ")} without impersonating a user`);
  const extra = names
    .filter((name) => name.startsWith(extraPrefix))
    .map((name) => [decodeKey(name.slice(extraPrefix.length)).toLowerCase(), values(headers[name])] as const);
  return {
    user,
    uid: headers["impersonate-uid"] ?? "",
    groups: values(headers["impersonate-group"]),
    extra: Object.fromEntries(extra),
  };
}

type Target = Pick<Attributes, "group" | "resource" | "subresource" | "namespace" | "name">;

/** Each permission that the caller needs. */
export function permissions({ user, uid, groups, extra }: Wanted): Target[] {
  const account = serviceAccountName.exec(user);
  const target = (resource: string, name: string, more: Partial<Target> = {}): Target => ({
    group: "",
    resource,
    subresource: "",
    namespace: "",
    name,
    ...more,
  });
  const authentication = "authentication.k8s.io";
  return [
    account === null
      ? target("users", user)
      : target("serviceaccounts", account[2] as string, { namespace: account[1] as string }),
    ...groups.map((group) => target("groups", group)),
    ...(uid === "" ? [] : [target("uids", uid, { group: authentication })]),
    ...Object.entries(extra).flatMap(([key, list]) =>
      list.map((value) => target("userextras", value, { group: authentication, subresource: key })),
    ),
  ];
}

/** The caller that the request then has: a service account has its groups, everybody is authenticated or is not. */
export function identityOf({ user, uid, groups, extra }: Wanted): Caller {
  const account = serviceAccountName.exec(user);
  const own =
    groups.length === 0 && account !== null
      ? ["system:serviceaccounts", `system:serviceaccounts:${account[1] as string}`]
      : [...groups];
  const group = user === "system:anonymous" ? unauthenticated : authenticated;
  const known = own.includes(authenticated) || own.includes(unauthenticated);
  return {
    name: user,
    groups: known ? own : [...own, group],
    ...(uid === "" ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Who the request is from, in the end. 403 where the caller may not be that. */
export async function impersonate(
  { authorizer }: ServerContext,
  headers: Readonly<Record<string, string>>,
  caller: Caller,
): Promise<Caller> {
  const wanted = wantedIdentity(headers);
  if (wanted === undefined) return caller;
  for (const target of permissions(wanted)) {
    const attributes: Attributes = {
      ...target,
      caller,
      verb: "impersonate",
      isResource: true,
      version: "",
      path: "",
      fields: [],
    };
    const { verdict, reason } = await authorizer.authorize(attributes);
    if (verdict !== "allow")
      throw forbiddenError(
        { group: target.group, resource: target.resource },
        target.name,
        forbiddenReason(attributes, reason),
      );
  }
  return identityOf(wanted);
}
