// The sandbox image as an OCI image: one layer with one file. Pure, and the same bytes every time.

import { mediaTypes } from "../registry/manifest.ts";
import { sha256 } from "../registry/storage.ts";
import { pauseProgram, type Architecture } from "./pause-elf.ts";

export interface BuiltImage {
  readonly blobs: readonly { readonly digest: string; readonly content: Buffer }[];
  readonly manifest: Buffer;
  readonly mediaType: string;
}

/** A tar archive of one executable file, with no times or users in it. */
export function tarOfOneFile(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  header.write(name, 0);
  header.write(octal(0o755, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(" ".repeat(8), 148); // the checksum counts itself as blanks
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

export function buildPauseImage(architecture: Architecture): BuiltImage {
  const layer = tarOfOneFile("pause", pauseProgram(architecture));
  const layerDigest = sha256(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      config: { User: "65535:65535", Entrypoint: ["/pause"], WorkingDir: "/" },
      rootfs: { type: "layers", diff_ids: [layerDigest] },
    }),
  );
  const configDigest = sha256(config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: configDigest, size: config.length },
      layers: [{ mediaType: mediaTypes.layer, digest: layerDigest, size: layer.length }],
    }),
  );
  return {
    blobs: [
      { digest: configDigest, content: config },
      { digest: layerDigest, content: layer },
    ],
    manifest,
    mediaType: mediaTypes.manifest,
  };
}
