// `leme image load`: the images of one archive, pushed to the bridge registry under their full names.

import { createReadStream, statSync } from "node:fs";
import { pushBlob, pushManifest, type PushTarget } from "../registry/push.ts";
import { mediaTypes, requiredBlobs, type Descriptor } from "../registry/manifest.ts";
import { formatReference, parseReference, storedRepository } from "../registry/reference.ts";
import { archiveKind, unpackArchive } from "./archive.ts";
import { dockerImages, manifestOf } from "./docker-archive.ts";
import { blobFile, layoutImages, pushable, readManifest } from "./oci-layout.ts";
import { imageArchitecture } from "./pause-elf.ts";

export interface LoadOptions {
  /** `10.200.0.1:5000` */
  readonly registry: string;
  /** The name to give, for an archive with one image. */
  readonly as?: string;
}

/** The full names of what was pushed. */
export async function loadImages(path: string, options: LoadOptions): Promise<string[]> {
  const archive = await unpackArchive(path);
  try {
    const load = archiveKind(archive.folder) === "oci" ? loadLayout : loadDocker;
    return await load(archive.folder, path, options);
  } finally {
    archive.remove();
  }
}

/** Where a name is pushed to. Names without a tag mean `latest`. */
function target(name: string, registry: string): { target: PushTarget; tag: string; full: string } {
  const reference = parseReference(name);
  const tag = reference.tag ?? "latest";
  const full = formatReference({ ...reference, tag, digest: undefined });
  return { target: { registry, repository: storedRepository(reference) }, tag, full };
}

/** The names to push an image under: the one that was asked for, or the archive's. */
function namesFor(
  names: readonly string[],
  count: number,
  path: string,
  as: string | undefined,
): readonly string[] {
  if (as !== undefined) {
    if (count > 1) throw new Error(`${path} holds ${count} images: --name can name only one`);
    return [as];
  }
  if (names.length === 0) throw new Error(`${path} does not name its image: give a name with --name`);
  return names;
}

async function loadLayout(folder: string, path: string, { registry, as }: LoadOptions): Promise<string[]> {
  const images = layoutImages(folder);
  const count = new Set(images.map((image) => image.descriptor.digest)).size;
  const loaded: string[] = [];
  for (const image of images) {
    const descriptor = pushable(folder, image.descriptor, imageArchitecture(process.arch));
    for (const name of namesFor(image.name === undefined ? [] : [image.name], count, path, as)) {
      const to = target(name, registry);
      await pushDescriptor(folder, descriptor, to.target, to.tag);
      loaded.push(to.full);
    }
  }
  return [...new Set(loaded)];
}

/** Children before their index, blobs before their manifest. */
async function pushDescriptor(
  folder: string,
  descriptor: Descriptor,
  to: PushTarget,
  reference: string,
): Promise<void> {
  const { content, parsed } = readManifest(folder, descriptor);
  for (const child of parsed.manifests ?? []) await pushDescriptor(folder, child, to, child.digest);
  for (const digest of requiredBlobs(parsed)) {
    const file = blobFile(folder, digest);
    await pushBlob(to, digest, statSync(file).size, () => createReadStream(file));
  }
  await pushManifest(to, reference, parsed.mediaType, content);
}

async function loadDocker(folder: string, path: string, { registry, as }: LoadOptions): Promise<string[]> {
  const images = await dockerImages(folder);
  const loaded: string[] = [];
  for (const image of images) {
    for (const name of namesFor(image.names, images.length, path, as)) {
      const to = target(name, registry);
      for (const { digest, size, file } of [image.config, ...image.layers])
        await pushBlob(to.target, digest, size, () => createReadStream(file));
      await pushManifest(to.target, to.tag, mediaTypes.manifest, manifestOf(image));
      loaded.push(to.full);
    }
  }
  return loaded;
}
