// Puts the sandbox image where the nodes' containerd looks for it.

import { pauseImage } from "../node-files.ts";
import { pushBlob, pushManifest } from "../registry/push.ts";
import { parseReference, storedRepository } from "../registry/reference.ts";
import { imageArchitecture } from "./pause-elf.ts";
import { buildPauseImage } from "./pause-image.ts";

export async function pushPauseImage(registry: string): Promise<void> {
  const reference = parseReference(pauseImage);
  const target = { registry, repository: storedRepository(reference) };
  const image = buildPauseImage(imageArchitecture(process.arch));
  for (const { digest, content } of image.blobs)
    await pushBlob(target, digest, content.length, () => content);
  await pushManifest(target, reference.tag ?? "latest", image.mediaType, image.manifest);
}
