// Images of an OCI layout: which there are, under which names, and the manifests that can be pushed whole.

import { readFileSync } from "node:fs";
import { fileInside } from "./archive.ts";
import { parseManifest, requiredBlobs, type Descriptor, type ParsedManifest } from "../registry/manifest.ts";
import { sha256 } from "../registry/storage.ts";

export interface LayoutImage {
  /** As the archive names it; undefined when it does not, or only by a tag. */
  readonly name: string | undefined;
  readonly descriptor: Descriptor;
}

/** Manifests are small; what claims to be one and is not is refused before it is read. */
export function readManifest(
  folder: string,
  { digest }: Descriptor,
): { content: Buffer; parsed: ParsedManifest } {
  const content = readFileSync(blobFile(folder, digest));
  if (sha256(content) !== digest) throw new Error(`${digest} is damaged in the archive`);
  return { content, parsed: parseManifest(content) };
}

export function blobFile(folder: string, digest: string): string {
  return fileInside(folder, `blobs/${digest.replace(":", "/")}`);
}

function hasBlob(folder: string, digest: string): boolean {
  try {
    blobFile(folder, digest);
    return true;
  } catch {
    return false;
  }
}

/** Names stand in annotations: containerd's and Docker's full one, or the layout's own, which may be only a tag. */
export function imageName(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  const full = annotations?.["io.containerd.image.name"];
  const reference = annotations?.["org.opencontainers.image.ref.name"];
  if (full !== undefined) return full;
  return reference !== undefined && /[/:]/.test(reference) ? reference : undefined;
}

export function layoutImages(folder: string): LayoutImage[] {
  const index = parseManifest(readFileSync(fileInside(folder, "index.json")));
  const images = (index.manifests ?? []).map((descriptor) => ({
    name: imageName(descriptor.annotations),
    descriptor,
  }));
  // `docker save` lists one image under several names: one entry each. Attestations have none.
  const named = images.filter((image) => image.name !== undefined);
  return named.length > 0 ? named : images;
}

/** True when the manifest, and all that it points to, is in the archive. */
export function isWhole(folder: string, descriptor: Descriptor): boolean {
  if (!hasBlob(folder, descriptor.digest)) return false;
  const { parsed } = readManifest(folder, descriptor);
  if (parsed.manifests !== undefined) return parsed.manifests.every((child) => isWhole(folder, child));
  return requiredBlobs(parsed).every((digest) => hasBlob(folder, digest));
}

/** What to push for an image: itself when it is whole, else the one platform of its index that is. */
export function pushable(folder: string, descriptor: Descriptor, architecture: string): Descriptor {
  if (isWhole(folder, descriptor)) return descriptor;
  const children = hasBlob(folder, descriptor.digest)
    ? (readManifest(folder, descriptor).parsed.manifests ?? [])
    : [];
  const fitting = children.find(
    (child) =>
      child.platform?.os === "linux" &&
      child.platform.architecture === architecture &&
      isWhole(folder, child),
  );
  if (fitting === undefined) throw new Error(`the archive lacks parts of ${descriptor.digest}`);
  return fitting;
}
