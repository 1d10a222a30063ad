// NamespaceLifecycle: nothing is created in a namespace that is missing or going away,
// and the namespaces that the system needs cannot be deleted.

import type { KubeObject } from "#machinery/meta.ts";
import { ApiError, failure, forbiddenError, notFound } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionReads } from "./contract.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

interface NamespaceObject extends KubeObject {
  status?: { phase?: string };
}

export function namespaceLifecycle(reads: AdmissionReads): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    async validate({ operation, resource, namespace, name, object }) {
      const isNamespace = resource.group === "" && resource.resource === "namespaces";
      if (operation === "DELETE" && isNamespace && immortal.has(name)) {
        throw forbiddenError(
          { group: "", resource: "namespaces" },
          name,
          "this namespace may not be deleted",
        );
      }
      if (operation !== "CREATE" || namespace === "" || isNamespace) return;
      if (resource.group === "authorization.k8s.io") return; // reviews store nothing
      const found = await reads.get<NamespaceObject>("", "namespaces", "", namespace);
      if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
      if (found.metadata?.deletionTimestamp === undefined && found.status?.phase !== "Terminating") return;
      const subject = { group: resource.group, resource: resource.resource };
      const refusal = forbiddenError(
        subject,
        name || (object?.metadata?.generateName ?? ""),
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
      throw withCause(refusal, {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      });
    },
  };
}

function withCause(error: ApiError, cause: { reason: string; message: string; field: string }): ApiError {
  const { status } = error;
  return failure(status.code, status.reason ?? "", status.message ?? "", {
    ...status.details,
    causes: [cause],
  });
}
