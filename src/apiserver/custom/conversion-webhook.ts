// Objects from one version to another as a webhook says: a ConversionReview asked, its answer checked. What a
// conversion may change besides the content are labels and annotations.

import type { Random } from "#base/random.ts";
import { toError } from "#base/assert.ts";
import type { CustomResourceDefinition } from "#machinery/gen/types/apiextensions-v1.ts";
import { isObject, type JsonObject } from "#machinery/json-object.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { failure } from "#machinery/status.ts";
import { askWebhook, type WebhookDeps } from "../http/webhook-client.ts";
import type { Converter } from "./compile-definition.ts";

const timeoutMs = 30_000;
const reviewVersions: ReadonlySet<string> = new Set(["v1", "v1beta1"]);

class ConversionError extends Error {}

export function webhookConverter(deps: WebhookDeps & { readonly random: Random }): Converter {
  return (crd) => async (objects, apiVersion) => {
    const kind = crd.status?.acceptedNames?.kind ?? crd.spec.names.kind;
    const [first] = objects;
    const subject = `${first?.apiVersion ?? apiVersion}, Kind=${kind}`;
    try {
      const review = await ask(crd, objects, apiVersion, deps);
      return checked(review, objects, apiVersion, kind);
    } catch (error) {
      const why = toError(error).message;
      const verb = error instanceof ConversionError ? why : `failed: ${why}`;
      throw failure(500, "", `conversion webhook for ${subject} ${verb}`);
    }
  };
}

async function ask(
  { spec }: CustomResourceDefinition,
  objects: readonly KubeObject[],
  desiredAPIVersion: string,
  deps: WebhookDeps & { readonly random: Random },
): Promise<readonly unknown[]> {
  const { clientConfig, conversionReviewVersions = [] } = spec.conversion?.webhook ?? {};
  const version = conversionReviewVersions.find((name) => reviewVersions.has(name));
  if (clientConfig === undefined || version === undefined) throw new Error("the definition names no webhook");
  const uid = deps.random.uuid();
  const answer = await askWebhook(
    {
      config: clientConfig,
      timeoutMs,
      body: {
        kind: "ConversionReview",
        apiVersion: `apiextensions.k8s.io/${version}`,
        request: { uid, desiredAPIVersion, objects },
      },
    },
    deps,
  );
  const response = isObject(answer) && isObject(answer["response"]) ? answer["response"] : undefined;
  if (response === undefined) throw new Error("no response provided");
  if (response["uid"] !== uid)
    throw new Error(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`,
    );
  const result = isObject(response["result"]) ? response["result"] : {};
  if (result["status"] !== "Success") {
    const message = typeof result["message"] === "string" ? result["message"] : "";
    throw new Error(
      message === ""
        ? `response.result.status was '${String(result["status"] ?? "")}', not 'Success'`
        : message,
    );
  }
  const converted = response["convertedObjects"];
  return Array.isArray(converted) ? (converted as unknown[]) : [];
}

function checked(
  converted: readonly unknown[],
  objects: readonly KubeObject[],
  apiVersion: string,
  kind: string,
): KubeObject[] {
  if (converted.length !== objects.length)
    throw new ConversionError(`returned ${converted.length} objects, expected ${objects.length}`);
  return converted.map((one, at) => {
    const where = `returned invalid converted object at index ${at}`;
    if (!isObject(one)) throw new ConversionError(`${where}: invalid type, expected an object`);
    if (one["apiVersion"] !== apiVersion) {
      const received = String(one["apiVersion"] ?? "");
      throw new ConversionError(
        `${where}: invalid groupVersion (expected ${apiVersion}, received ${received})`,
      );
    }
    if (one["kind"] !== kind)
      throw new ConversionError(
        `${where}: invalid kind (expected ${kind}, received ${String(one["kind"] ?? "")})`,
      );
    return { ...one, metadata: keptMetadata(one, objects[at] as KubeObject) };
  });
}

/** Metadata as it was, with the labels and annotations of the answer. */
function keptMetadata(converted: JsonObject, original: KubeObject): NonNullable<KubeObject["metadata"]> {
  const before = original.metadata ?? {};
  const after = isObject(converted["metadata"]) ? converted["metadata"] : {};
  for (const field of ["name", "namespace", "uid"] as const) {
    const [was, is] = [before[field] ?? "", after[field] ?? ""];
    if (was !== is)
      throw new ConversionError(
        `returned invalid metadata: must have the same ${field}: ${String(is)} != ${was}`,
      );
  }
  const { labels: _l, annotations: _a, ...rest } = before;
  const texts = (field: "labels" | "annotations"): object => {
    const given = after[field];
    if (given === undefined || given === null) return {};
    const isText = isObject(given) && Object.values(given).every((value) => typeof value === "string");
    if (!isText) throw new ConversionError(`returned invalid metadata: ${field} must be texts`);
    return { [field]: given };
  };
  return { ...rest, ...texts("labels"), ...texts("annotations") };
}
