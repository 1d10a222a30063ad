// NamespaceLifecycle: nothing is created in a namespace that is missing or going away,
// and the namespaces that the system needs cannot be deleted.

import type { KubeObject } from "#machinery/meta.ts";
import { ApiError, failure, forbiddenError, notFound } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

interface NamespaceObject extends KubeObject {
  status?: { phase?: string };
}

const isNamespace = ({ resource }: AdmissionRequest): boolean =>
  resource.group === "" && resource.resource === "namespaces";

export function namespaceLifecycle(reads: AdmissionReads): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    /** Before anybody fills in what the namespace would have, and before the object itself is looked at. */
    async mutate(request) {
      const { operation, resource, namespace, name, object } = request;
      if (operation !== "CREATE" || namespace === "" || isNamespace(request)) return;
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
    validate(request) {
      if (request.operation !== "DELETE" || !isNamespace(request) || !immortal.has(request.name)) return;
      throw forbiddenError(
        { group: "", resource: "namespaces" },
        request.name,
        "this namespace may not be deleted",
      );
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
