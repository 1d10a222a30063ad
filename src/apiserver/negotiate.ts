// Content negotiation: which form an answer takes, and which one a body has. Pure.

import { notAcceptable, unsupportedMediaType } from "#machinery/status.ts";

export type Encoding = "json" | "yaml" | "protobuf" | "cbor";
/** The object itself, or a view of it. */
export type View = "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";

export interface OutputForm {
  readonly encoding: Encoding;
  readonly as: View;
  /** The apiVersion of a view. */
  readonly viewVersion: string;
  readonly contentType: string;
}

export interface Offer {
  /** The kind has a protobuf form. (Metadata alone always has one, a Table never.) */
  readonly protobuf: boolean;
  readonly views: boolean;
  /** CBOR is served: alpha in this release, and off unless asked for. */
  readonly cbor?: boolean;
  /** A watch: one event after the other, which YAML is not used for. */
  readonly stream?: boolean;
}

export const mediaTypes: Readonly<Record<Encoding, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
  cbor: "application/cbor",
};
const cborSequence = "application/cbor-seq";
const metaV1 = "meta.k8s.io/v1";
const viewVersions: readonly (string | undefined)[] = ["v1", "v1beta1"];

interface MediaType {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

export function parseAccept(header: string): MediaType[] {
  const types = header.split(",").flatMap((part): MediaType[] => {
    const [type = "", ...rest] = part.split(";").map((piece) => piece.trim());
    if (type === "") return [];
    const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const piece of rest) {
      const at = piece.indexOf("=");
      if (at > 0) parameters[piece.slice(0, at).toLowerCase()] = piece.slice(at + 1).replace(/^"|"$/g, "");
    }
    return [{ type: type.toLowerCase(), parameters, quality: Number(parameters["q"] ?? 1) }];
  });
  return types.sort((a, b) => b.quality - a.quality);
}

function contentTypeOf(encoding: Encoding, stream: boolean): string {
  if (!stream || encoding === "json") return mediaTypes[encoding];
  return encoding === "cbor" ? cborSequence : `${mediaTypes[encoding]};stream=watch`;
}

const json: OutputForm = {
  encoding: "json",
  as: "object",
  viewVersion: metaV1,
  contentType: mediaTypes.json,
};

/** What is offered, as a refusal lists it. */
function supported({ cbor = false, stream = false }: Offer): string[] {
  const encodings: Encoding[] = stream ? ["json", "protobuf"] : ["json", "yaml", "protobuf"];
  if (cbor) encodings.unshift("cbor");
  return encodings.map((encoding) =>
    stream && encoding !== "cbor" ? `${mediaTypes[encoding]};stream=watch` : contentTypeOf(encoding, stream),
  );
}

/** The first acceptable form that this server has; 406 when there is none. */
export function negotiate(accept: string | undefined, offer: Offer): OutputForm {
  if (accept === undefined || accept === "") return json;
  for (const { type, parameters } of parseAccept(accept)) {
    const encoding = encodingOf(type);
    if (encoding === undefined || !isOffered(encoding, offer)) continue;
    const { as = "" } = parameters;
    const contentType = contentTypeOf(encoding, offer.stream ?? false);
    if (as === "") {
      if (encoding === "protobuf" && !offer.protobuf) continue;
      return encoding === "json" ? json : { ...json, encoding, contentType };
    }
    const known = parameters["g"] === "meta.k8s.io" && viewVersions.includes(parameters["v"]);
    const view = known && offer.views ? viewOf(as, encoding) : undefined;
    if (view !== undefined)
      return { encoding, as: view, viewVersion: `meta.k8s.io/${parameters["v"]}`, contentType };
  }
  throw notAcceptable(supported(offer));
}

function isOffered(encoding: Encoding, { cbor = false, stream = false }: Offer): boolean {
  if (encoding === "cbor") return cbor;
  return encoding !== "yaml" || !stream;
}

function viewOf(as: string, encoding: Encoding): View | undefined {
  if (as === "Table") return encoding === "protobuf" ? undefined : as;
  return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? as : undefined;
}

/** The encoding of a failure: as was asked for, and JSON where nothing that was asked for is there. */
export function errorEncoding(accept: string | undefined, offer: Pick<Offer, "cbor">): Encoding {
  for (const { type, parameters } of parseAccept(accept ?? "")) {
    const encoding = encodingOf(type);
    if (
      encoding !== undefined &&
      parameters["as"] === undefined &&
      (encoding !== "cbor" || offer.cbor === true)
    )
      return encoding;
  }
  return "json";
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
    case "application/cbor":
    case "application/cbor-seq":
      return "cbor";
    default:
      return undefined;
  }
}

/** The encoding of a request body; 415 for what is not served. No content type means JSON. */
export function bodyEncoding(contentType: string | undefined, offer: Pick<Offer, "cbor"> = {}): Encoding {
  const [type = ""] = (contentType ?? mediaTypes.json).split(";");
  const name = type.trim().toLowerCase();
  const encoding = name === "" ? "json" : encodingOf(name);
  const refused = name.includes("*") || name === cborSequence || (encoding === "cbor" && offer.cbor !== true);
  if (encoding === undefined || refused)
    throw unsupportedMediaType(supported({ protobuf: true, views: false, ...offer }));
  return encoding;
}
