// ResourceQuota: what is written must fit into the quotas of its namespace, and is charged to them. Where a namespace
// has none, that is all there is to it.

import type { Clock } from "#base/clock.ts";
import { forbiddenError } from "#machinery/status.ts";
import { isClaims, isPods, isServices } from "#resources/core/quota/usage.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";
import { QuotaCharges } from "./quota-charges.ts";

/** Which writes can use more than before. */
function isCounted({ operation, resource, subresource }: AdmissionRequest): boolean {
  if (operation === "CREATE") return subresource === "";
  if (operation !== "UPDATE") return false;
  if (isPods(resource)) return subresource === "resize";
  return subresource === "" && (isServices(resource) || isClaims(resource));
}

export function resourceQuotaAdmission(reads: AdmissionReads, clock: Clock): AdmissionPlugin {
  const charges = new QuotaCharges(reads, clock);
  return {
    name: "ResourceQuota",
    async validate(request) {
      const { namespace, resource, object, old, name, dryRun } = request;
      if (namespace === "" || object === undefined || !isCounted(request)) return;
      if (!reads.has("", "resourcequotas") || resource.resource === "events") return;
      const quotas = await reads.list("", "resourcequotas", namespace);
      if (quotas.length === 0) return;
      const refusal = await charges.charge(namespace, { subject: resource, object, old }, dryRun);
      if (refusal !== undefined) throw forbiddenError(resource, name, refusal);
    },
  };
}
