// Which resources limits and quotas speak of, and which amounts of them make sense. Pure.

import { invalid, type FieldError } from "#machinery/field-error.ts";
import { checkQualifiedName } from "#machinery/names.ts";
import { parseQuantity } from "#machinery/quantity.ts";
import { each, mustNotBeNegative } from "../field-checks.ts";

const containerResources: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);
const quotaResources: ReadonlySet<string> = new Set([
  ...containerResources,
  ...["requests.cpu", "requests.memory", "requests.ephemeral-storage", "requests.storage"],
  ...["limits.cpu", "limits.memory", "limits.ephemeral-storage"],
  ...["pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps"],
  ...["persistentvolumeclaims", "services.nodeports", "services.loadbalancers"],
]);
/** Things that are counted come in whole numbers. */
const counted: ReadonlySet<string> = new Set([
  ...["pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps"],
  ...["persistentvolumeclaims", "services.nodeports", "services.loadbalancers"],
]);

const hugePages = "hugepages-";
const requests = "requests.";

export const isHugePages = (name: string): boolean => name.startsWith(hugePages);
const isQuotaHugePages = (name: string): boolean =>
  isHugePages(name) || name.startsWith(`${requests}${hugePages}`) || name.startsWith(`limits.${hugePages}`);

/** Whether it is a resource of the system's own; others have somebody's domain before a slash. */
export const isStandardQuotaResource = (name: string): boolean =>
  quotaResources.has(name) || isQuotaHugePages(name);

/** A name in a LimitRange: what its kind of object can have. */
export function validateLimitResource(name: string, type: string, path: string): FieldError[] {
  const errors = each(checkQualifiedName(name), path, name);
  if (errors.length > 0 || name.includes("/")) return errors;
  const known =
    type === "PersistentVolumeClaim"
      ? name === "storage"
      : containerResources.has(name) || isHugePages(name) || (type !== "Container" && name === "storage");
  return known
    ? []
    : [
        invalid(
          path,
          name,
          type === "Container"
            ? "must be a standard resource for containers"
            : "must be a standard resource type or fully qualified",
        ),
      ];
}

export function validateQuotaResource(name: string, path: string): FieldError[] {
  const errors = each(checkQualifiedName(name), path, name);
  if (errors.length > 0 || name.includes("/") || isStandardQuotaResource(name)) return errors;
  return [invalid(path, name, "must be a standard resource for quotas")];
}

/** An amount in a quota: not negative, and whole where things are counted. */
export function validateQuotaAmount(name: string, amount: string, path: string): FieldError[] {
  const { nano } = parseQuantity(amount);
  const errors = nano < 0n ? [invalid(path, amount, mustNotBeNegative)] : [];
  const isCounted = counted.has(name) || name.startsWith("count/");
  if (isCounted && nano % 1_000_000_000n !== 0n) errors.push(invalid(path, amount, "must be an integer"));
  return errors;
}
