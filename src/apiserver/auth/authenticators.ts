// Who is calling: client certificate, static token, service-account token, or nobody in particular.
// Each answers undefined for credentials that are not of its kind; the first caller found wins.

import type { Caller } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { unauthorized } from "#machinery/status.ts";
import type { Clock } from "#base/clock.ts";
import type { BoundObject, TokenSigner } from "#pki/service-account-tokens.ts";
import {
  bootstrapTokenNamespace,
  bootstrapTokenOf,
  isSameSecret,
  secretNameOf,
  splitBootstrapToken,
} from "#resources/core/bootstrap-token.ts";
import { invalidSinceLabel, lastUsedLabel } from "#resources/core/legacy-token.ts";
import type { Authenticator } from "./contract.ts";

const authenticatedGroup = "system:authenticated";

function withAuthenticated(caller: Caller): Caller {
  return caller.groups.includes(authenticatedGroup)
    ? caller
    : { ...caller, groups: [...caller.groups, authenticatedGroup] };
}

export const anonymous: Caller = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** CN is the user, O values are the groups. TLS has verified the chain already. */
export const certificateAuthenticator: Authenticator = {
  authenticate: ({ certificate }) =>
    certificate === undefined || certificate.commonName === ""
      ? undefined
      : withAuthenticated({ name: certificate.commonName, groups: certificate.organizations }),
};

export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  const match = /^bearer +(\S+)\s*$/i.exec(headers["authorization"] ?? "");
  if (match !== null) return match[1];
  // Browsers cannot set headers on a WebSocket: the documented subprotocol carries the token.
  for (const protocol of (headers["sec-websocket-protocol"] ?? "").split(",")) {
    const encoded = /^base64url\.bearer\.authorization\.k8s\.io\.(.+)$/.exec(protocol.trim());
    if (encoded !== null) return Buffer.from(encoded[1] as string, "base64url").toString();
  }
  return undefined;
}

/** The lines of --token-auth-file: `token,user,uid,"group1,group2"`. */
export function parseTokenFile(text: string, file: string): Map<string, Caller> {
  const callers = new Map<string, Caller>();
  text.split(/\r?\n/).forEach((line, at) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const fields = [...line.matchAll(/(?:^|,)\s*(?:"([^"]*)"|([^,]*))/g)].map((m) =>
      (m[1] ?? m[2] ?? "").trim(),
    );
    const [token = "", name = "", uid = "", groups = ""] = fields;
    if (fields.length < 3 || token === "" || name === "") {
      throw new Error(`${file}:${at + 1}: a token line is token,user,uid and optionally "group1,group2"`);
    }
    const caller = {
      name,
      ...(uid === "" ? {} : { uid }),
      groups: groups
        .split(",")
        .map((g) => g.trim())
        .filter(Boolean),
    };
    callers.set(token, withAuthenticated(caller));
  });
  return callers;
}

export function tokenFileAuthenticator(callers: ReadonlyMap<string, Caller>): Authenticator {
  return {
    authenticate: ({ headers }) => {
      const token = bearerToken(headers);
      return token === undefined ? undefined : callers.get(token);
    },
  };
}

/** Finds the objects that a token names, to see that they still are what they were. Undefined: gone. */
export interface TokenLookup {
  get(resource: string, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** Labels the Secret of a token with the day of its last use; nobody waits for it. */
  noteUse?(namespace: string, secretName: string, day: string): void;
}

const boundResource: Record<BoundObject["kind"], string> = { Pod: "pods", Secret: "secrets", Node: "nodes" };
/** Verified tokens are remembered; the objects they name are looked up each time. */
const verifiedTokensMax = 4096;

export function serviceAccountAuthenticator(options: {
  signer: TokenSigner;
  audiences: readonly string[];
  lookup: TokenLookup;
  clock: Clock;
}): Authenticator {
  const { signer, audiences, lookup, clock } = options;
  const verified = new Map<string, NonNullable<Awaited<ReturnType<TokenSigner["verify"]>>>>();

  async function claimsOf(token: string) {
    const known = verified.get(token);
    if (known !== undefined && known.expiresAtSeconds * 1000 > clock.now()) return known;
    let claims;
    try {
      claims = await signer.verify(token, clock.now());
    } catch {
      throw unauthorized(); // ours, but forged, expired or not yet good; the reason is not the caller's business
    }
    if (claims === undefined) return undefined;
    if (verified.size >= verifiedTokensMax) verified.delete(verified.keys().next().value as string);
    verified.set(token, claims);
    return claims;
  }

  /** A token that never ends is good while its Secret is there and still holds it. */
  async function checkSecret(namespace: string, name: string, token: string): Promise<void> {
    const secret = await lookup.get("secrets", namespace, name);
    const { data } = (secret ?? {}) as { data?: Readonly<Record<string, string>> };
    const isHeld = data?.["token"] === Buffer.from(token).toString("base64");
    const { labels, deletionTimestamp } = secret?.metadata ?? {};
    if (!isHeld || deletionTimestamp !== undefined || labels?.[invalidSinceLabel] !== undefined)
      throw unauthorized();
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    if (labels?.[lastUsedLabel] !== day) lookup.noteUse?.(namespace, name, day);
  }

  return {
    async authenticate({ headers }) {
      const token = bearerToken(headers);
      if (token === undefined || token.split(".").length !== 3) return undefined;
      const claims = await claimsOf(token);
      if (claims === undefined) return undefined;
      if (claims.secretName !== undefined) await checkSecret(claims.namespace, claims.secretName, token);
      else if (!claims.audiences.some((audience) => audiences.includes(audience))) throw unauthorized();
      const account = await lookup.get("serviceaccounts", claims.namespace, claims.name);
      if (account?.metadata?.uid !== claims.uid) throw unauthorized();
      const { boundTo } = claims;
      if (boundTo !== undefined) {
        const namespace = boundTo.kind === "Node" ? "" : claims.namespace;
        const bound = await lookup.get(boundResource[boundTo.kind], namespace, boundTo.name);
        if (bound?.metadata?.uid !== boundTo.uid) throw unauthorized();
      }
      return serviceAccountCaller(claims);
    },
  };
}

/** Bootstrap tokens, `ID.SECRET`: whoever has one is a node that is about to join. */
export function bootstrapTokenAuthenticator(lookup: TokenLookup, clock: Clock): Authenticator {
  return {
    async authenticate({ headers }) {
      const given = splitBootstrapToken(bearerToken(headers) ?? "");
      if (given === undefined) return undefined;
      const found = await lookup.get("secrets", bootstrapTokenNamespace, secretNameOf(given.id));
      const token = found === undefined ? undefined : bootstrapTokenOf(found, clock.now());
      if (token?.authenticates !== true || !isSameSecret(token.secret, given.secret)) return undefined;
      return withAuthenticated({ name: `system:bootstrap:${token.id}`, groups: token.groups });
    },
  };
}

export function serviceAccountCaller(claims: {
  namespace: string;
  name: string;
  uid: string;
  id?: string;
  boundTo?: BoundObject;
  node?: { name: string; uid?: string };
}): Caller {
  const extra: Record<string, readonly string[]> = {};
  if (claims.id) extra["authentication.kubernetes.io/credential-id"] = [`JTI=${claims.id}`];
  if (claims.boundTo?.kind === "Pod") {
    extra["authentication.kubernetes.io/pod-name"] = [claims.boundTo.name];
    extra["authentication.kubernetes.io/pod-uid"] = [claims.boundTo.uid];
  }
  if (claims.node !== undefined) extra["authentication.kubernetes.io/node-name"] = [claims.node.name];
  return {
    name: `system:serviceaccount:${claims.namespace}:${claims.name}`,
    uid: claims.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${claims.namespace}`, authenticatedGroup],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Asks each in turn. Credentials that nobody knows are refused; none at all is the anonymous caller. */
export function unionAuthenticator(authenticators: readonly Authenticator[]): Authenticator {
  return {
    async authenticate(credentials) {
      for (const authenticator of authenticators) {
        const caller = await authenticator.authenticate(credentials);
        if (caller !== undefined) return caller;
      }
      if (
        credentials.badCertificate === true ||
        credentials.headers["authorization"] !== undefined ||
        bearerToken(credentials.headers) !== undefined
      )
        throw unauthorized();
      return anonymous;
    },
  };
}
