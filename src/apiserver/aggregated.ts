// Groups that an APIService gives to another server: requests are not passed on there, and the answer says so.

import type { APIService } from "#machinery/gen/types/apiregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { failure, type ApiError } from "#machinery/status.ts";
import type { ServerContext } from "./context.ts";
import { storageKey } from "./stored-object.ts";

const versionPath = /^\/apis\/([^/]+)\/([^/]+)/;

/** What a path that is not served is told, when it is another server's. */
export function notPassedOn({ registry, caches }: ServerContext, path: string): ApiError | undefined {
  const [, group, version] = versionPath.exec(path) ?? [];
  const definition = registry.find("apiregistration.k8s.io", "v1", "apiservices");
  if (definition === undefined || group === undefined || version === undefined) return undefined;
  if (registry.groups.some((one) => one.name === group && one.versions.includes(version))) return undefined;
  const name = `${version}.${group}`;
  const found = caches.of(definition.storage).get(storageKey(definition.storage, "", name));
  const service = (found?.object as (KubeObject & APIService) | undefined)?.spec?.service;
  if (service === undefined) return undefined;
  return failure(
    503,
    "ServiceUnavailable",
    `service unavailable: ${name} is served by the Service ${service.namespace ?? ""}/${service.name ?? ""}, and requests are not passed on to other API servers`,
  );
}
