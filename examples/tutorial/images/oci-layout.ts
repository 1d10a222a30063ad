// Writes an OCI image layout: layers from tar files, one image per name. The same input gives the same bytes.

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, linkSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";

/** A compressed layer on disk, and the digest of the tar archive in it. */
export interface Layer {
  readonly file: string;
  readonly digest: string;
  readonly diffId: string;
  readonly size: number;
}

export interface ImageSpec {
  /** As recipes name it: `crontab:latest`. */
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly config: {
    readonly Cmd: readonly string[];
    readonly WorkingDir: string;
    readonly Env: readonly string[];
    readonly ExposedPorts?: Readonly<Record<string, object>>;
  };
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const mediaType = (what: string): string => `application/vnd.oci.image.${what}`;

/** Passes bytes on and counts and hashes them. */
class Digest extends Transform {
  private readonly hash = createHash("sha256");
  size = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    this.size += chunk.length;
    done(null, chunk);
  }

  /** Once, at the end. */
  digest(): string {
    return `sha256:${this.hash.digest("hex")}`;
  }
}

/** Compresses a tar archive with zstd, which nodes unpack several times faster than gzip. */
export async function compressLayer(tar: string, file: string): Promise<Omit<Layer, "file">> {
  const plain = new Digest();
  const packed = new Digest();
  await pipeline(createReadStream(tar), plain, createZstdCompress(), packed, createWriteStream(file));
  return { digest: packed.digest(), diffId: plain.digest(), size: packed.size };
}

/** Writes the images into `folder`, which appears only when it is whole. */
export function writeLayout(folder: string, images: readonly ImageSpec[]): void {
  const unfinished = `${folder}.${process.pid}.new`;
  const blobs = join(unfinished, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const blobFile = (digest: string): string => join(blobs, digest.slice("sha256:".length));
  const writeJson = (content: object): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    writeFileSync(blobFile(digest), bytes);
    return { digest, size: bytes.length };
  };
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer]));
  for (const layer of layers.values()) linkSync(layer.file, blobFile(layer.digest));
  const manifests = images.map((image) => {
    const config = writeJson({
      architecture: architectures[process.arch],
      os: "linux",
      config: image.config,
      rootfs: { type: "layers", diff_ids: image.layers.map((layer) => layer.diffId) },
    });
    const manifest = writeJson({
      schemaVersion: 2,
      mediaType: mediaType("manifest.v1+json"),
      config: { mediaType: mediaType("config.v1+json"), ...config },
      layers: image.layers.map(({ digest, size }) => ({
        mediaType: mediaType("layer.v1.tar+zstd"),
        digest,
        size,
      })),
    });
    return {
      mediaType: mediaType("manifest.v1+json"),
      ...manifest,
      annotations: { "org.opencontainers.image.ref.name": image.name },
    };
  });
  writeFileSync(
    join(unfinished, "index.json"),
    JSON.stringify({ schemaVersion: 2, mediaType: mediaType("index.v1+json"), manifests }),
  );
  writeFileSync(join(unfinished, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  renameSync(unfinished, folder);
}
