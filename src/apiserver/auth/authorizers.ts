// The chain of --authorization-mode: each authorizer in order until one allows or denies.

import type { Authorizer, Decision } from "./contract.ts";

/** Members of system:masters may do everything, whatever the modes: the way back in. */
export const privilegedGroupAuthorizer: Authorizer = {
  authorize: ({ caller }) =>
    caller.groups.includes("system:masters")
      ? { verdict: "allow", reason: "" }
      : { verdict: "no-opinion", reason: "" },
};

export const alwaysAllow: Authorizer = { authorize: () => ({ verdict: "allow", reason: "" }) };
export const alwaysDeny: Authorizer = {
  authorize: () => ({ verdict: "no-opinion", reason: "Everything is forbidden." }),
};

export function chainAuthorizers(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes): Promise<Decision> {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const answer = authorizer.authorize(attributes);
        const decision = answer instanceof Promise ? await answer : answer;
        if (decision.verdict !== "no-opinion") return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { verdict: "no-opinion", reason: reasons.join(", ") };
    },
  };
}
