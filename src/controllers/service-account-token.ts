// Secrets of the type for service-account tokens hold a token of their account, and go with it.
// Watches: serviceaccounts, secrets of that type.  Owns: nothing.  Writes: secrets.
// Why run(): the token is signed half-way.

import { ServiceAccounts, Secrets } from "#client/refs.ts";
import type { Secret, ServiceAccount } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import type { TokenSigner } from "#pki/service-account-tokens.ts";
import { deleteAction, updateAction } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";

type ReadSecret = DeepReadonly<Secret>;
type ReadAccount = DeepReadonly<ServiceAccount>;

export const tokenType = "kubernetes.io/service-account-token";
export const accountName = "kubernetes.io/service-account.name";
const accountUid = "kubernetes.io/service-account.uid";

export interface TokenInput {
  readonly secret: ReadSecret;
  /** That it names. */
  readonly account: ReadAccount | undefined;
}

export interface TokenContent {
  readonly token: string;
  readonly rootCa: string | undefined;
}

const isFor = (secret: ReadSecret, account: ReadAccount): boolean => {
  const uid = secret.metadata?.annotations?.[accountUid] ?? "";
  return uid === "" || uid === account.metadata?.uid;
};
const encoded = (text: string): string => Buffer.from(text).toString("base64");

/** What the Secret lacks, or that it goes; the token is only made where it lacks one. */
export function needsToken({ secret, account }: TokenInput): boolean {
  return account !== undefined && isFor(secret, account) && (secret.data?.["token"] ?? "") === "";
}

export function planToken({ secret, account }: TokenInput, { token, rootCa }: TokenContent): Plan {
  if (secret.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  if (account === undefined || !isFor(secret, account)) return { actions: [deleteAction(Secrets, secret)] };
  if (account.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  const { namespace = "", annotations = {} } = secret.metadata ?? {};
  const data: Record<string, string> = { ...secret.data };
  if ((data["token"] ?? "") === "") data["token"] = encoded(token);
  if (rootCa !== undefined) data["ca.crt"] = encoded(rootCa);
  data["namespace"] ??= encoded(namespace);
  const uid = account.metadata?.uid ?? "";
  const isSame =
    annotations[accountUid] === uid &&
    Object.entries(data).every(([name, value]) => secret.data?.[name] === value);
  if (isSame) return { actions: [] };
  const metadata = { ...secret.metadata, annotations: { ...annotations, [accountUid]: uid } };
  return { actions: [updateAction(Secrets, { ...secret, metadata, data })] };
}

const accountKeyOf = ({ metadata }: ReadSecret): string =>
  `${metadata?.namespace ?? ""}/${metadata?.annotations?.[accountName] ?? ""}`;

export function serviceAccountTokenController(
  signer: Pick<TokenSigner, "signForSecret">,
  rootCa: string | undefined,
): ControllerDefinition {
  return defineController<TokenInput>({
    name: "serviceaccount-token-controller",
    owns: [],
    writes: [Secrets],
    watches: [
      watching<Secret>({
        ref: Secrets,
        options: { fieldSelector: `type=${tokenType}` },
        indexes: { account: (secret) => [accountKeyOf(secret)] },
        keys: (secret) => [objectKey(secret)],
      }),
      watching<ServiceAccount>({
        ref: ServiceAccounts,
        keys: (account, reads) =>
          reads
            .of<Secret>(Secrets)
            .byIndex("account", objectKey(account))
            .map((secret) => objectKey(secret)),
      }),
    ],
    read: (key, reads) => {
      const secret = reads.of<Secret>(Secrets).get(key);
      if (secret === undefined) return undefined;
      return { secret, account: reads.of<ServiceAccount>(ServiceAccounts).get(accountKeyOf(secret)) };
    },
    // An account that was made a moment ago may not be in the cache yet, and its Secret must not go for that.
    confirm: async (input, client) => {
      if (input.account !== undefined) return input;
      const [namespace = "", name = ""] = accountKeyOf(input.secret).split("/");
      const { items } = await client.list<ServiceAccount>(ServiceAccounts, {
        namespace,
        fieldSelector: `metadata.name=${name}`,
      });
      return { ...input, account: items[0] };
    },
    plan: (input) => planToken(input, { token: "", rootCa }),
    run: async (input, { execute }) => {
      const { namespace = "", name = "", uid = "" } = input.account?.metadata ?? {};
      const token = needsToken(input)
        ? await signer.signForSecret({ namespace, name, uid }, input.secret.metadata?.name ?? "")
        : "";
      await execute(planToken(input, { token, rootCa }).actions);
      return undefined;
    },
  });
}
