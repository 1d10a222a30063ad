// Tokens in Secrets that were made for an account by itself, long ago, and that nobody uses: marked as invalid first, and
// deleted when nobody has missed them.
// Watches: secrets of tokens, serviceaccounts, pods (by their secrets).  Owns: nothing.  Writes: secrets.

import { Pods, Secrets, ServiceAccounts } from "#client/refs.ts";
import type { Pod, Secret, ServiceAccount } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { deleteAction, patchAction } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";
import { invalidSinceLabel, lastUsedLabel } from "#resources/core/legacy-token.ts";
import { accountName, tokenType } from "./service-account-token.ts";

type ReadSecret = DeepReadonly<Secret>;

export interface LegacyTokenOptions {
  /** `--legacy-service-account-token-clean-up-period`: unused for so long, and then missed by nobody for as long. */
  readonly legacyTokenCleanUpPeriodMs?: number;
}

export interface LegacyTokenInput {
  readonly secret: ReadSecret;
  /** That it names. */
  readonly account: DeepReadonly<ServiceAccount> | undefined;
  /** A pod mounts it. */
  readonly isMounted: boolean;
}

const dayMs = 86_400_000;
const yearMs = 365 * dayMs;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Days are written without a time; what cannot be read is as if it were not there. */
const dayMsOf = (text: string | undefined): number | undefined => {
  const ms = Date.parse(`${text ?? ""}T00:00:00Z`);
  return Number.isNaN(ms) ? undefined : ms;
};

export function planLegacyToken(
  { secret, account, isMounted }: LegacyTokenInput,
  periodMs: number,
  nowMs: number,
): Plan {
  const { name = "", labels = {}, creationTimestamp, deletionTimestamp } = secret.metadata ?? {};
  // Those that somebody made by hand are not in the list of the account.
  const isGenerated = account?.secrets?.some((one) => one.name === name) === true;
  if (!isGenerated || isMounted || deletionTimestamp !== undefined) return { actions: [] };
  const lastMs = Math.max(dayMsOf(labels[lastUsedLabel]) ?? 0, Date.parse(creationTimestamp ?? "") || 0);
  const leftMs = lastMs + periodMs - nowMs;
  if (leftMs > 0) return { actions: [], againAfterMs: Math.min(leftMs, dayMs) };
  const { uid, resourceVersion } = secret.metadata ?? {};
  const invalidMs = dayMsOf(labels[invalidSinceLabel]);
  if (invalidMs === undefined) {
    const patch = { metadata: { uid, resourceVersion, labels: { [invalidSinceLabel]: dayOf(nowMs) } } };
    return { actions: [patchAction(Secrets, secret, "merge", patch, { absentIsFine: true })] };
  }
  const missedMs = invalidMs + periodMs - nowMs;
  if (missedMs > 0) return { actions: [], againAfterMs: Math.min(missedMs, dayMs) };
  return { actions: [deleteAction(Secrets, secret)] };
}

const secretsOf = ({ metadata, spec }: DeepReadonly<Pod>): string[] =>
  (spec?.volumes ?? []).flatMap(({ secret, projected }) =>
    [secret?.secretName, ...(projected?.sources ?? []).map((one) => one.secret?.name)]
      .filter((name) => name !== undefined && name !== "")
      .map((name) => `${metadata?.namespace ?? ""}/${name ?? ""}`),
  );

export function legacyTokenCleanerController(given: LegacyTokenOptions): ControllerDefinition {
  const { legacyTokenCleanUpPeriodMs = yearMs } = given;
  return defineController<LegacyTokenInput>({
    name: "legacy-serviceaccount-token-cleaner-controller",
    owns: [],
    writes: [Secrets],
    watches: [
      watching<Secret>({
        ref: Secrets,
        options: { fieldSelector: `type=${tokenType}` },
        keys: (secret) => [objectKey(secret)],
      }),
      watching<ServiceAccount>({
        ref: ServiceAccounts,
        keys: ({ metadata, secrets }) =>
          (secrets ?? []).map(({ name = "" }) => `${metadata?.namespace ?? ""}/${name}`),
      }),
      watching<Pod>({ ref: Pods, indexes: { secret: secretsOf }, keys: () => [] }),
    ],
    read: (key, reads) => {
      const secret = reads.of<Secret>(Secrets).get(key);
      if (secret === undefined) return undefined;
      const { namespace = "", annotations } = secret.metadata ?? {};
      return {
        secret,
        account: reads
          .of<ServiceAccount>(ServiceAccounts)
          .get(`${namespace}/${annotations?.[accountName] ?? ""}`),
        isMounted: reads.of<Pod>(Pods).byIndex("secret", key).length > 0,
      };
    },
    plan: (input, { nowMs }) => planLegacyToken(input, legacyTokenCleanUpPeriodMs, nowMs),
  });
}
