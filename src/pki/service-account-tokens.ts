// Service-account tokens: JWTs signed with ES256, bound to their account and, if asked, to a pod, secret or node.
// Claims as documented in "Managing Service Accounts" and KEP-1205.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

export interface BoundObject {
  readonly kind: "Pod" | "Secret" | "Node";
  readonly name: string;
  readonly uid: string;
}

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly boundTo?: BoundObject;
  /** The node of the pod that the token is bound to. */
  readonly node?: { readonly name: string; readonly uid?: string };
}

export interface TokenClaims extends TokenSubject {
  readonly audiences: readonly string[];
  readonly id: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Of a token that is kept in a Secret and never ends: that Secret. */
  readonly secretName?: string;
}

interface KubernetesClaim {
  namespace: string;
  serviceaccount: { name: string; uid: string };
  pod?: { name: string; uid: string };
  secret?: { name: string; uid: string };
  node?: { name: string; uid?: string };
}

export interface TokenSigner {
  readonly issuer: string;
  readonly keyId: string;
  sign(
    subject: TokenSubject,
    options: { audiences: readonly string[]; id: string; nowMs: number; lifetimeSeconds: number },
  ): Promise<string>;
  /** A token that is good as long as the Secret that holds it is there. */
  signForSecret(subject: TokenSubject, secretName: string): Promise<string>;
  /** The claims of a genuine token in its time; undefined when it is not one of ours; throws when it is, but no longer good. */
  verify(token: string, nowMs: number): Promise<TokenClaims | undefined>;
  /** The public keys as a JSON Web Key Set, for /openid/v1/jwks. */
  jwks(): Record<string, unknown>;
}

/** Tokens of Secrets have an issuer and claims of their own. */
const secretIssuer = "kubernetes/serviceaccount";
const secretClaim = (name: string): string => `kubernetes.io/serviceaccount/${name}`;

function claimsForSecret(payload: Readonly<Record<string, unknown>>): TokenClaims {
  const text = (name: string): string => String(payload[secretClaim(name)] ?? "");
  return {
    namespace: text("namespace"),
    name: text("service-account.name"),
    uid: text("service-account.uid"),
    secretName: text("secret.name"),
    audiences: [],
    id: "",
    issuedAtSeconds: 0,
    expiresAtSeconds: Infinity,
  };
}

/** Key ID: base64url of the SHA-256 of the public key's DER form. */
function keyIdOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ format: "der", type: "spki" }))
    .digest("base64url");
}

function privateClaim({ namespace, name, uid, boundTo, node }: TokenSubject): KubernetesClaim {
  const claim: KubernetesClaim = { namespace, serviceaccount: { name, uid } };
  if (boundTo !== undefined) {
    const reference = { name: boundTo.name, uid: boundTo.uid };
    if (boundTo.kind === "Pod") claim.pod = reference;
    if (boundTo.kind === "Secret") claim.secret = reference;
    if (boundTo.kind === "Node") claim.node = reference;
  }
  if (node !== undefined) claim.node = node;
  return claim;
}

function boundObject(claim: KubernetesClaim): BoundObject | undefined {
  if (claim.pod !== undefined) return { kind: "Pod", ...claim.pod };
  if (claim.secret !== undefined) return { kind: "Secret", ...claim.secret };
  if (claim.node?.uid !== undefined) return { kind: "Node", name: claim.node.name, uid: claim.node.uid };
  return undefined;
}

/** Makes and checks tokens with one private key (PEM). The JWT library loads on first use. */
export function createTokenSigner(options: { privateKey: string; issuer: string }): TokenSigner {
  const privateKey = createPrivateKey(options.privateKey);
  const publicKey = createPublicKey(privateKey);
  const keyId = keyIdOf(publicKey);
  const { issuer } = options;
  return {
    issuer,
    keyId,
    async sign(subject, { audiences, id, nowMs, lifetimeSeconds }) {
      const { SignJWT } = await import("jose");
      const issuedAt = Math.floor(nowMs / 1000);
      return new SignJWT({ "kubernetes.io": privateClaim(subject) })
        .setProtectedHeader({ alg: "ES256", kid: keyId })
        .setIssuer(issuer)
        .setSubject(`system:serviceaccount:${subject.namespace}:${subject.name}`)
        .setAudience([...audiences])
        .setJti(id)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(privateKey);
    },
    async signForSecret({ namespace, name, uid }, secretName) {
      const { SignJWT } = await import("jose");
      return new SignJWT({
        [secretClaim("namespace")]: namespace,
        [secretClaim("secret.name")]: secretName,
        [secretClaim("service-account.name")]: name,
        [secretClaim("service-account.uid")]: uid,
      })
        .setProtectedHeader({ alg: "ES256", kid: keyId })
        .setIssuer(secretIssuer)
        .setSubject(`system:serviceaccount:${namespace}:${name}`)
        .sign(privateKey);
    },
    async verify(token, nowMs) {
      const { decodeJwt, jwtVerify } = await import("jose");
      let isOfSecret: boolean;
      try {
        const { iss } = decodeJwt(token);
        isOfSecret = iss === secretIssuer;
        if (iss !== issuer && !isOfSecret) return undefined;
      } catch {
        return undefined; // not a JWT at all: some other kind of bearer token
      }
      if (isOfSecret)
        return claimsForSecret((await jwtVerify(token, publicKey, { algorithms: ["ES256"] })).payload);
      const { payload } = await jwtVerify(token, publicKey, {
        issuer,
        algorithms: ["ES256"],
        currentDate: new Date(nowMs),
      });
      const claim = payload["kubernetes.io"] as KubernetesClaim | undefined;
      if (claim === undefined) return undefined;
      const boundTo = boundObject(claim);
      return {
        namespace: claim.namespace,
        name: claim.serviceaccount.name,
        uid: claim.serviceaccount.uid,
        ...(boundTo === undefined ? {} : { boundTo }),
        ...(claim.node === undefined ? {} : { node: claim.node }),
        audiences: typeof payload.aud === "string" ? [payload.aud] : (payload.aud ?? []),
        id: payload.jti ?? "",
        issuedAtSeconds: payload.iat ?? 0,
        expiresAtSeconds: payload.exp ?? 0,
      };
    },
    jwks: () => ({
      keys: [{ ...publicKey.export({ format: "jwk" }), use: "sig", kid: keyId, alg: "ES256" }],
    }),
  };
}
