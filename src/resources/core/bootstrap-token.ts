// Bootstrap tokens: Secrets of kube-system that let a new node in, `ID.SECRET`, for a while. Pure.

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export const bootstrapTokenType = "bootstrap.kubernetes.io/token";
export const bootstrapTokenNamespace = "kube-system";
const namePrefix = "bootstrap-token-";
const idPattern = /^[a-z0-9]{6}$/;
const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

type ReadSecret = DeepReadonly<Secret>;

export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly groups: readonly string[];
  readonly authenticates: boolean;
  readonly signs: boolean;
}

export const secretNameOf = (id: string): string => `${namePrefix}${id}`;

export function splitBootstrapToken(token: string): { id: string; secret: string } | undefined {
  const [, id, secret] = tokenPattern.exec(token) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

const text = ({ data }: ReadSecret, field: string): string =>
  Buffer.from(data?.[field] ?? "", "base64").toString();

/** When it ends; undefined when it does not. What cannot be read as a time has ended. */
export function tokenEndsMs(secret: ReadSecret): number | undefined {
  const expiration = text(secret, "expiration");
  if (expiration === "") return undefined;
  const ms = Date.parse(expiration);
  return Number.isNaN(ms) ? 0 : ms;
}

/** What a Secret says, if it is a token that is still good. */
export function bootstrapTokenOf(secret: ReadSecret, nowMs: number): BootstrapToken | undefined {
  const id = text(secret, "token-id");
  const { name, namespace, deletionTimestamp } = secret.metadata ?? {};
  const isToken =
    secret.type === bootstrapTokenType &&
    namespace === bootstrapTokenNamespace &&
    deletionTimestamp === undefined &&
    idPattern.test(id) &&
    name === secretNameOf(id);
  if (!isToken || text(secret, "token-secret") === "") return undefined;
  const endsMs = tokenEndsMs(secret);
  if (endsMs !== undefined && endsMs <= nowMs) return undefined;
  const extra = text(secret, "auth-extra-groups")
    .split(",")
    .filter((group) => group !== "");
  if (extra.some((group) => !groupPattern.test(group))) return undefined;
  return {
    id,
    secret: text(secret, "token-secret"),
    groups: [...new Set(["system:bootstrappers", ...extra])].sort(),
    authenticates: text(secret, "usage-bootstrap-authentication") === "true",
    signs: text(secret, "usage-bootstrap-signing") === "true",
  };
}

export function isSameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A signature that stands apart from what it signs (JWS, HS256): who has the token can check it. */
export function detachedSignature(
  content: string,
  { id, secret }: Pick<BootstrapToken, "id" | "secret">,
): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: id })).toString("base64url");
  const payload = Buffer.from(content).toString("base64url");
  const signature = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}..${signature}`;
}
