// Which subresource is served by what: the only place of the server that names kinds.

import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { methodNotAllowed } from "#machinery/status.ts";
import type { TokenSigner } from "#pki/service-account-tokens.ts";
import { validate } from "../admit.ts";
import { formFor, objectAnswer } from "../answer.ts";
import type { TokenLookup } from "../auth/authenticators.ts";
import { issueToken, type TokenRequestObject } from "../auth/token-request.ts";
import { decodeKind } from "../decode-body.ts";
import { writeOptions } from "../options.ts";
import type { SubresourceHandler } from "./contract.ts";
import { eviction } from "./eviction.ts";
import { finalizeNamespace } from "./finalize.ts";
import { nodeProxy, podProxy, podStreams, serviceProxy, type KubeletAccess } from "./kubelet-proxy.ts";
import { binding } from "./pods.ts";

interface TokenOptions {
  readonly signer: TokenSigner;
  readonly audiences: readonly string[];
  readonly lookup: TokenLookup;
  readonly clock: Clock;
  readonly random: Random;
}

function tokenRequest(options: TokenOptions): SubresourceHandler {
  return async (context) => {
    const { info } = context;
    if (info.verb !== "create") throw methodNotAllowed();
    const kind = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" };
    const request = await decodeKind(context.request, kind, {
      ...writeOptions(context),
      warn: (message) => context.warn(message),
    });
    await validate(context, { operation: "CREATE", object: request, old: undefined, dryRun: false });
    const answer = await issueToken(options, info.namespace, info.name, request as TokenRequestObject);
    return objectAnswer(201, answer, formFor(context, { protobuf: true, views: false }));
  };
}

export function coreSubresources(options: {
  kubelet: KubeletAccess;
  tokens: TokenOptions;
}): Record<string, SubresourceHandler> {
  const streams = podStreams(options.kubelet);
  return {
    "pods/binding": binding,
    "pods/eviction": eviction,
    "pods/log": streams,
    "pods/exec": streams,
    "pods/attach": streams,
    "pods/portforward": streams,
    "pods/proxy": podProxy,
    "services/proxy": serviceProxy,
    "nodes/proxy": nodeProxy(options.kubelet),
    "serviceaccounts/token": tokenRequest(options.tokens),
    "namespaces/finalize": finalizeNamespace,
  };
}
