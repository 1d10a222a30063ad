// The registry's folder: blobs by digest, and per repository its tags and the media types of its manifests.
// Nothing appears under a digest before its content was checked against it and is on the disk.
//
//   blobs/sha256/HEX                       uploads/ID
//   repositories/NAME/_tags/TAG            the digest
//   repositories/NAME/_manifests/HEX       the media type

import { createHash, randomUUID, type Hash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { hasCode, readIfExists, writeAtomically } from "#host/files.ts";
import { RegistryError } from "./errors.ts";

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly content: Buffer;
}

interface Upload {
  readonly file: string;
  readonly hash: Hash;
  size: number;
}

/** Uploads that nobody finished; the oldest is dropped when there are more. */
const uploadsMax = 256;
export const manifestBytesMax = 4 * 1024 * 1024;

export function sha256(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export class RegistryStorage {
  readonly #dir: string;
  readonly #uploads = new Map<string, Upload>();

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(join(dir, "blobs", "sha256"), { recursive: true });
    mkdirSync(join(dir, "repositories"), { recursive: true });
    rmSync(join(dir, "uploads"), { recursive: true, force: true });
    mkdirSync(join(dir, "uploads"));
  }

  #blobPath(digest: string): string {
    return join(this.#dir, "blobs", "sha256", digest.slice("sha256:".length));
  }

  #repository(name: string, ...rest: string[]): string {
    return join(this.#dir, "repositories", name, ...rest);
  }

  /** Size in bytes; undefined when there is no such blob. */
  blobSize(digest: string): number | undefined {
    try {
      return statSync(this.#blobPath(digest)).size;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  readBlob(digest: string, start?: number, end?: number): Readable {
    return createReadStream(this.#blobPath(digest), { start, end });
  }

  startUpload(): string {
    const [oldest] = this.#uploads.keys();
    if (this.#uploads.size >= uploadsMax && oldest !== undefined) this.cancelUpload(oldest);
    const id = randomUUID();
    this.#uploads.set(id, { file: join(this.#dir, "uploads", id), hash: createHash("sha256"), size: 0 });
    return id;
  }

  #upload(id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined) throw new RegistryError("BLOB_UPLOAD_UNKNOWN", id);
    return upload;
  }

  uploadSize(id: string): number {
    return this.#upload(id).size;
  }

  cancelUpload(id: string): void {
    rmSync(this.#upload(id).file, { force: true });
    this.#uploads.delete(id);
  }

  /** Adds the body to the upload. A body cut off spoils it: the upload is dropped. */
  async append(id: string, body: Readable): Promise<number> {
    const upload = this.#upload(id);
    try {
      await pipeline(
        body,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            upload.hash.update(chunk);
            upload.size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(upload.file, { flags: "a" }),
      );
    } catch (error) {
      this.cancelUpload(id);
      throw error;
    }
    return upload.size;
  }

  async finishUpload(id: string, digest: string): Promise<void> {
    const upload = this.#upload(id);
    const actual = `sha256:${upload.hash.digest("hex")}`;
    if (actual !== digest || !existsSync(upload.file)) {
      this.cancelUpload(id);
      throw new RegistryError("DIGEST_INVALID", `${digest} was said, ${actual} came`);
    }
    this.#uploads.delete(id);
    await syncFile(upload.file);
    await rename(upload.file, this.#blobPath(digest));
  }

  async #putBlob(digest: string, content: Buffer): Promise<void> {
    if (this.blobSize(digest) !== undefined) return;
    const neighbour = join(this.#dir, "uploads", randomUUID());
    const file = await open(neighbour, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(neighbour, this.#blobPath(digest));
  }

  async putManifest(name: string, manifest: StoredManifest, tag: string | undefined): Promise<void> {
    const { digest, mediaType, content } = manifest;
    await this.#putBlob(digest, content);
    writeAtomically(this.#repository(name, "_manifests", digest.slice("sha256:".length)), mediaType);
    if (tag !== undefined) writeAtomically(this.#repository(name, "_tags", tag), digest);
  }

  /** By tag or digest. */
  manifest(name: string, reference: string): StoredManifest | undefined {
    const digest = reference.startsWith("sha256:")
      ? reference
      : readIfExists(this.#repository(name, "_tags", reference));
    if (digest === undefined) return undefined;
    const mediaType = readIfExists(this.#repository(name, "_manifests", digest.slice("sha256:".length)));
    if (mediaType === undefined) return undefined;
    return { digest, mediaType, content: readFileSync(this.#blobPath(digest)) };
  }

  hasRepository(name: string): boolean {
    return existsSync(this.#repository(name, "_manifests"));
  }

  tags(name: string): string[] {
    const folder = this.#repository(name, "_tags");
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  }

  repositories(): string[] {
    const root = this.#repository("");
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name === "_manifests")
      .map((entry) => dirname(join(entry.parentPath, entry.name)).slice(root.length))
      .map((name) => name.replace(/^\/+/, ""))
      .sort();
  }
}
