// Content negotiation: which form an answer takes, and which one a body has. Pure.

import { notAcceptable, unsupportedMediaType } from "#machinery/status.ts";

export type Encoding = "json" | "yaml" | "protobuf";

export interface OutputForm {
  readonly encoding: Encoding;
  /** The object itself, or a view of it. */
  readonly as: "object" | "Table" | "PartialObjectMetadata";
  readonly contentType: string;
}

const json: OutputForm = { encoding: "json", as: "object", contentType: "application/json" };
const supported = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

interface MediaType {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

export function parseAccept(header: string): MediaType[] {
  const types = header.split(",").flatMap((part): MediaType[] => {
    const [type = "", ...rest] = part.split(";").map((piece) => piece.trim());
    if (type === "") return [];
    const parameters: Record<string, string> = {};
    for (const piece of rest) {
      const at = piece.indexOf("=");
      if (at > 0) parameters[piece.slice(0, at).toLowerCase()] = piece.slice(at + 1).replace(/^"|"$/g, "");
    }
    return [{ type: type.toLowerCase(), parameters, quality: Number(parameters["q"] ?? 1) }];
  });
  return types.sort((a, b) => b.quality - a.quality);
}

/** The first acceptable form that this server has; 406 when there is none. `protobuf` says whether the kind has that form. */
export function negotiate(
  accept: string | undefined,
  options: { protobuf: boolean; views: boolean },
): OutputForm {
  if (accept === undefined || accept === "") return json;
  for (const { type, parameters } of parseAccept(accept)) {
    const encoding = encodingOf(type);
    if (encoding === undefined) continue;
    const { as } = parameters;
    if (as === undefined) {
      if (encoding === "protobuf" && !options.protobuf) continue;
      return encoding === "json"
        ? json
        : {
            encoding,
            as: "object",
            contentType: `application/${encoding === "yaml" ? "yaml" : "vnd.kubernetes.protobuf"}`,
          };
    }
    const known = parameters["g"] === "meta.k8s.io" && parameters["v"] === "v1";
    if (!known || !options.views || encoding === "protobuf") continue;
    if (as === "Table") return { encoding, as, contentType: `application/${encoding}` };
    if (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList")
      return { encoding, as: "PartialObjectMetadata", contentType: `application/${encoding}` };
  }
  throw notAcceptable(supported);
}

function encodingOf(type: string): Encoding | undefined {
  switch (type) {
    case "application/json":
    case "application/*":
    case "*/*":
      return "json";
    case "application/yaml":
      return "yaml";
    case "application/vnd.kubernetes.protobuf":
      return "protobuf";
    default:
      return undefined;
  }
}

/** The encoding of a request body; 415 for what is not served. No content type means JSON. */
export function bodyEncoding(contentType: string | undefined): Encoding {
  const [type = ""] = (contentType ?? "application/json").split(";");
  const encoding = type.trim() === "" ? "json" : encodingOf(type.trim().toLowerCase());
  if (encoding === undefined || type.includes("*")) throw unsupportedMediaType(supported);
  return encoding;
}
