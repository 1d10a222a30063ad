// Service account tokens for pods: asked of the API server bound to the pod, kept until most of their life is over.

import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { ServiceAccounts } from "#client/refs.ts";
import type { TokenRequest } from "#machinery/gen/types/authentication-v1.ts";
import { tokenRenewMsMax, tokenRenewShare } from "../limits.ts";
import type { ReadonlyPod } from "../plan/model.ts";

interface Held {
  readonly token: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

export interface TokenManager {
  token(pod: ReadonlyPod, audience: string | undefined, expirationSeconds: number): Promise<string>;
  forget(uid: string): void;
}

export function createTokenManager(client: Client, clock: Clock): TokenManager {
  const held = new Map<string, Map<string, Held>>();

  async function request(
    pod: ReadonlyPod,
    audience: string | undefined,
    expirationSeconds: number,
  ): Promise<Held> {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    const askedAtMs = clock.now();
    const answer = await client.createSub<TokenRequest>(
      ServiceAccounts,
      namespace,
      pod.spec?.serviceAccountName ?? "default",
      "token",
      {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          ...(audience === undefined || audience === "" ? {} : { audiences: [audience] }),
          expirationSeconds,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
        },
      } as TokenRequest,
    );
    const token = answer.status?.token;
    if (token === undefined) throw new Error("the token request was answered without a token");
    const expiresAtMs = Date.parse(answer.status?.expirationTimestamp ?? "");
    const lifeMs = Number.isNaN(expiresAtMs) ? expirationSeconds * 1000 : expiresAtMs - askedAtMs;
    return {
      token,
      expiresAtMs: askedAtMs + lifeMs,
      renewAtMs: askedAtMs + Math.min(lifeMs * tokenRenewShare, tokenRenewMsMax),
    };
  }

  return {
    async token(pod, audience, expirationSeconds) {
      const uid = pod.metadata?.uid ?? "";
      const key = `${audience ?? ""}\0${expirationSeconds}`;
      const known = held.get(uid)?.get(key);
      if (known !== undefined && clock.now() < known.renewAtMs) return known.token;
      try {
        const fresh = await request(pod, audience, expirationSeconds);
        const ofPod = held.get(uid) ?? new Map<string, Held>();
        ofPod.set(key, fresh);
        held.set(uid, ofPod);
        return fresh.token;
      } catch (error) {
        // The old one is still good for a while.
        if (known !== undefined && clock.now() < known.expiresAtMs) return known.token;
        throw error;
      }
    },
    forget: (uid) => void held.delete(uid),
  };
}
