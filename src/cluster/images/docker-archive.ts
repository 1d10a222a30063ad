// Images of a Docker archive (`docker save`, before its OCI form): manifest.json names configs and layers.

import { createHash } from "node:crypto";
import { createReadStream, openSync, readFileSync, readSync, closeSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { fileInside } from "./archive.ts";
import { mediaTypes, type Descriptor } from "../registry/manifest.ts";

interface ArchivedImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

export interface ArchivedBlob extends Descriptor {
  readonly file: string;
  readonly size: number;
  readonly mediaType: string;
}

export interface DockerImage {
  readonly names: readonly string[];
  readonly config: ArchivedBlob;
  readonly layers: readonly ArchivedBlob[];
}

export async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest("hex")}`;
}

function isGzip(file: string): boolean {
  const start = Buffer.alloc(2);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, 2, 0);
  } finally {
    closeSync(descriptor);
  }
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function blob(file: string, mediaType: string): Promise<ArchivedBlob> {
  return { file, mediaType, digest: await digestOfFile(file), size: statSync(file).size };
}

export async function dockerImages(folder: string): Promise<DockerImage[]> {
  const list = JSON.parse(readFileSync(fileInside(folder, "manifest.json"), "utf8")) as ArchivedImage[];
  if (!Array.isArray(list)) throw new Error("manifest.json of the archive is not a list");
  const images: DockerImage[] = [];
  for (const { Config, RepoTags, Layers } of list) {
    const layers: ArchivedBlob[] = [];
    for (const name of Layers) {
      const file = fileInside(folder, name);
      layers.push(await blob(file, isGzip(file) ? mediaTypes.layerGzip : mediaTypes.layer));
    }
    images.push({
      names: RepoTags ?? [],
      config: await blob(fileInside(folder, Config), mediaTypes.config),
      layers,
    });
  }
  return images;
}

/** The OCI manifest of a Docker image: its config and layers are what OCI's are. Pure. */
export function manifestOf({ config, layers }: DockerImage): Buffer {
  const descriptor = ({ mediaType, digest, size }: ArchivedBlob): Descriptor => ({ mediaType, digest, size });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(config),
      layers: layers.map(descriptor),
    }),
  );
}
