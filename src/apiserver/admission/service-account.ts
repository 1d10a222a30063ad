// ServiceAccount: every pod has an account, and its containers find the account's token, the CA and the namespace
// under /var/run/secrets/kubernetes.io/serviceaccount.

import { nameSuffix, type Random } from "#base/random.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { badRequest, forbiddenError } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionReads } from "./contract.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const mirrorAnnotation = "kubernetes.io/config.mirror";
/** One hour and seven seconds: kubelets renew hourly, the rest is grace. */
const tokenSeconds = 3607;

interface Container {
  name: string;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
}

interface PodObject extends KubeObject {
  spec?: {
    serviceAccountName?: string;
    serviceAccount?: string;
    automountServiceAccountToken?: boolean;
    imagePullSecrets?: { name?: string }[];
    containers?: Container[];
    initContainers?: Container[];
    ephemeralContainers?: unknown[];
    volumes?: { name: string; [source: string]: unknown }[];
  };
}

interface AccountObject extends KubeObject {
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name?: string }[];
}

function tokenVolume(name: string): { name: string; [source: string]: unknown } {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}

/** Mounts the token where a container has nothing at that path yet. */
function mountToken(pod: PodObject, random: Random): void {
  const spec = pod.spec as NonNullable<PodObject["spec"]>;
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const lacking = containers.filter(
    (container) => !container.volumeMounts?.some((mount) => mount.mountPath === mountPath),
  );
  if (lacking.length === 0) return;
  const existing = spec.volumes?.find((volume) => volume.name.startsWith("kube-api-access-"));
  const name = existing?.name ?? `kube-api-access-${nameSuffix(random)}`;
  if (existing === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
  for (const container of lacking) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
  }
}

export function serviceAccountAdmission(reads: AdmissionReads, random: Random): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    resources: new Set(["/pods"]),
    async mutate({ operation, resource, subresource, namespace, name, object }) {
      if (
        operation !== "CREATE" ||
        resource.group !== "" ||
        resource.resource !== "pods" ||
        subresource !== ""
      )
        return;
      const pod = object as PodObject | undefined;
      if (pod?.spec === undefined) return;
      if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
        if (pod.spec.serviceAccountName) {
          throw badRequest("a mirror pod may not reference service accounts");
        }
        return;
      }
      const accountName = pod.spec.serviceAccountName || "default";
      pod.spec.serviceAccountName = accountName;
      pod.spec.serviceAccount = accountName;
      const account = await reads.get<AccountObject>("", "serviceaccounts", namespace, accountName);
      if (account === undefined) {
        throw forbiddenError(
          { group: "", resource: "pods" },
          name || (pod.metadata?.generateName ?? ""),
          `error looking up service account ${namespace}/${accountName}: serviceaccount ${JSON.stringify(accountName)} not found`,
        );
      }
      if ((pod.spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
        pod.spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((secret) => ({ ...secret }));
      }
      if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
        mountToken(pod, random);
    },
  };
}
