// Bootstrap tokens: `kube-public/cluster-info` is signed with each that is for it, so that a new node can trust what it
// reads there; tokens go when they end.
// Watches: secrets of that type, the configmap cluster-info.  Owns: nothing.  Writes: configmaps, secrets (delete).

import { ConfigMaps, Secrets } from "#client/refs.ts";
import type { ConfigMap, Secret } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { deleteAction, updateAction } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";
import {
  bootstrapTokenNamespace,
  bootstrapTokenOf,
  bootstrapTokenType,
  detachedSignature,
  tokenEndsMs,
} from "#resources/core/bootstrap-token.ts";

const infoName = "cluster-info";
const infoNamespace = "kube-public";
const infoKey = `${infoNamespace}/${infoName}`;
const contentField = "kubeconfig";
const signaturePrefix = "jws-kubeconfig-";

export interface SignerInput {
  readonly info: DeepReadonly<ConfigMap>;
  readonly secrets: readonly DeepReadonly<Secret>[];
}

/** One signature for each token that is for it; those of others go. */
export function planSignatures({ info, secrets }: SignerInput, nowMs: number): Plan {
  const content = info.data?.[contentField];
  const ends = secrets.map((secret) => tokenEndsMs(secret) ?? Infinity).filter((ms) => ms > nowMs);
  const again = Math.min(...ends) - nowMs;
  const againAfterMs = Number.isFinite(again) ? { againAfterMs: again } : {};
  if (content === undefined) return { actions: [] };
  const old = Object.entries(info.data ?? {});
  const data = Object.fromEntries(old.filter(([field]) => !field.startsWith(signaturePrefix)));
  for (const secret of secrets) {
    const token = bootstrapTokenOf(secret, nowMs);
    if (token?.signs === true) data[signaturePrefix + token.id] = detachedSignature(content, token);
  }
  const isSame =
    old.length === Object.keys(data).length && old.every(([field, value]) => data[field] === value);
  if (isSame) return { actions: [], ...againAfterMs };
  return { actions: [updateAction(ConfigMaps, { ...info, data })], ...againAfterMs };
}

export function planTokenEnd(secret: DeepReadonly<Secret>, nowMs: number): Plan {
  const endsMs = tokenEndsMs(secret);
  if (endsMs === undefined || secret.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  if (endsMs > nowMs) return { actions: [], againAfterMs: endsMs - nowMs };
  return { actions: [deleteAction(Secrets, secret)] };
}

const tokens = { namespace: bootstrapTokenNamespace, fieldSelector: `type=${bootstrapTokenType}` };

export const bootstrapSignerController: ControllerDefinition = defineController<SignerInput>({
  name: "bootstrap-signer-controller",
  owns: [],
  writes: [ConfigMaps],
  watches: [
    watching<Secret>({ ref: Secrets, options: tokens, keys: () => [infoKey] }),
    watching<ConfigMap>({
      ref: ConfigMaps,
      options: { namespace: infoNamespace, fieldSelector: `metadata.name=${infoName}` },
      keys: (info) => [objectKey(info)],
    }),
  ],
  read: (_key, reads) => {
    const info = reads.of<ConfigMap>(ConfigMaps).get(infoKey);
    return info === undefined ? undefined : { info, secrets: [...reads.of<Secret>(Secrets).list()] };
  },
  plan: (input, { nowMs }) => planSignatures(input, nowMs),
});

export const tokenCleanerController: ControllerDefinition = defineController<DeepReadonly<Secret>>({
  name: "token-cleaner-controller",
  owns: [],
  writes: [Secrets],
  watches: [watching<Secret>({ ref: Secrets, options: tokens, keys: (secret) => [objectKey(secret)] })],
  read: (key, reads) => reads.of<Secret>(Secrets).get(key),
  plan: (secret, { nowMs }) => planTokenEnd(secret, nowMs),
});
