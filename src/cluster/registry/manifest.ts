// What an image manifest or index says, as far as a registry cares: its media type and the digests it points to.

import { RegistryError } from "./errors.ts";
import { isDigest } from "./reference.ts";

export interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
  /** Layers that live elsewhere are not kept here. */
  readonly urls?: readonly string[];
}

export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

export interface ParsedManifest {
  readonly mediaType: string;
  /** Set for an index. */
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

function descriptors(value: unknown, field: string): Descriptor[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  for (const each of list) {
    const digest = (each as Descriptor | null)?.digest;
    if (typeof digest !== "string" || !isDigest(digest))
      throw new RegistryError("MANIFEST_INVALID", `${field}: a descriptor without a sha256 digest`);
  }
  return list as Descriptor[];
}

export function parseManifest(content: Buffer, contentType?: string): ParsedManifest {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(content.toString()) as Record<string, unknown>;
  } catch {
    throw new RegistryError("MANIFEST_INVALID", "not JSON");
  }
  if (typeof json !== "object" || json === null || json.schemaVersion !== 2)
    throw new RegistryError("MANIFEST_INVALID", "schemaVersion must be 2");
  const manifests = descriptors(json.manifests, "manifests");
  const config = descriptors(json.config, "config")?.[0];
  const layers = descriptors(json.layers, "layers");
  if (manifests === undefined && config === undefined)
    throw new RegistryError("MANIFEST_INVALID", "neither an index nor an image manifest");
  const said = typeof json.mediaType === "string" ? json.mediaType : contentType?.split(";")[0]?.trim();
  const mediaType = said ?? (manifests === undefined ? mediaTypes.manifest : mediaTypes.index);
  return { mediaType, manifests, config, layers };
}

/** The blobs that must be in the registry before the manifest is. */
export function requiredBlobs(manifest: ParsedManifest): string[] {
  const local = (manifest.layers ?? []).filter((layer) => layer.urls === undefined);
  return [manifest.config, ...local].filter((each) => each !== undefined).map((each) => each.digest);
}
