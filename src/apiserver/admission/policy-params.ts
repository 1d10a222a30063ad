// The objects that a binding of an admission policy gives to the policy as `params`.
import type { ParamKind, ParamRef } from "#machinery/gen/types/admissionregistration-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import type { AdmissionReads } from "./contract.ts";

export type Params =
  | { readonly objects: readonly (KubeObject | undefined)[]; readonly error?: undefined }
  | { readonly objects?: undefined; readonly error: string };

export async function bindParams(
  reads: AdmissionReads,
  kind: DeepReadonly<ParamKind> | undefined,
  ref: DeepReadonly<ParamRef> | undefined,
  requestNamespace: string,
): Promise<Params> {
  // A policy without a kind of parameters, or a binding without any: `params` is null.
  if (kind === undefined || ref === undefined) return { objects: [undefined] };
  const resource = reads.resourceOf(kind.apiVersion ?? "", kind.kind ?? "");
  if (resource === undefined)
    return {
      error: `failed to find resource referenced by paramKind: '${kind.apiVersion ?? ""}, Kind=${kind.kind ?? ""}'`,
    };
  if (!resource.namespaced && ref.namespace !== undefined && ref.namespace !== "")
    return { error: "paramRef.namespace must not be provided for a cluster-scoped `paramKind`" };
  const namespace = resource.namespaced ? ref.namespace || requestNamespace : "";
  if (resource.namespaced && namespace === "")
    return {
      error: "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
    };
  const objects = await find(reads, resource, namespace, ref);
  if (objects.length > 0 || ref.parameterNotFoundAction === "Allow") return { objects };
  return { error: "no params found for policy binding with `Deny` parameterNotFoundAction" };
}

async function find(
  reads: AdmissionReads,
  { group, resource }: { readonly group: string; readonly resource: string },
  namespace: string,
  ref: DeepReadonly<ParamRef>,
): Promise<readonly KubeObject[]> {
  if (ref.name !== undefined && ref.name !== "") {
    const found = await reads.get(group, resource, namespace, ref.name);
    return found === undefined ? [] : [found];
  }
  const selector = selectorFromObject(ref.selector);
  if (selector === undefined) return [];
  const all = await reads.list(group, resource, namespace);
  return all.filter((object) => matches(selector, object.metadata?.labels));
}
