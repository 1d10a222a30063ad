// Manifests: the documents of files, folders and stdin, as objects with the place each came from.

import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { isObject, type JsonObject } from "#machinery/json-object.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { parseYamlDocuments, YamlError } from "#machinery/codec/yaml.ts";
import { CommandError, type Io } from "../command.ts";

export interface Manifest {
  readonly object: KubeObject & JsonObject;
  /** The file, or `STDIN`. */
  readonly source: string;
}

export interface ManifestOptions {
  readonly files: readonly string[];
  readonly recursive: boolean;
}

const extensions = new Set([".json", ".yaml", ".yml"]);

async function filesUnder(dir: string, shown: string, recursive: boolean): Promise<string[]> {
  const entries = (await readdir(dir, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(shown, entry.name);
    const isFolder = entry.isDirectory();
    if (isFolder && recursive) found.push(...(await filesUnder(join(dir, entry.name), path, true)));
    else if (!isFolder && extensions.has(extname(entry.name))) found.push(path);
  }
  return found;
}

async function expand(path: string, io: Io, recursive: boolean): Promise<string[]> {
  const full = resolve(io.cwd, path);
  let isFolder;
  try {
    isFolder = (await stat(full)).isDirectory();
  } catch {
    throw new CommandError(`the path ${JSON.stringify(path)} does not exist`);
  }
  if (!isFolder) return [path];
  const files = await filesUnder(full, path, recursive);
  if (files.length === 0)
    throw new CommandError(`error reading [${path}]: recognized file extensions are [.json .yaml .yml]`);
  return files;
}

async function readStdin(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin.stream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const byteOrder = (text: string): string => text.replace(/^\uFEFF/, "");

/** The values in a text: JSON documents one after the other, or YAML documents. */
function documents(text: string): unknown[] {
  const trimmed = byteOrder(text);
  if (trimmed.trimStart().startsWith("{")) {
    try {
      return [JSON.parse(trimmed) as unknown];
    } catch {
      // Several documents, or JSON's looser cousin: the YAML reader takes both.
    }
  }
  return parseYamlDocuments(trimmed).map(({ value }) => value);
}

function checkKind(value: unknown, source: string): KubeObject & JsonObject {
  const fail = (why: string): CommandError =>
    new CommandError(`unable to decode ${JSON.stringify(source)}: ${why}`);
  if (!isObject(value))
    throw fail(
      `json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into Go value of type unstructured.detector`,
    );
  if (typeof value["kind"] !== "string" || value["kind"] === "")
    throw fail(`Object 'Kind' is missing in '${JSON.stringify(value)}'`);
  if (typeof value["apiVersion"] !== "string" || value["apiVersion"] === "")
    throw new CommandError(
      `error validating ${JSON.stringify(source)}: error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false`,
    );
  return value as KubeObject & JsonObject;
}

/** Lists stand for their items. */
function flatten(object: KubeObject & JsonObject, source: string): Manifest[] {
  const { items } = object;
  if (!Array.isArray(items) || !(object.kind ?? "").endsWith("List")) return [{ object, source }];
  return items.flatMap((item) => flatten(checkKind(item, source), source));
}

/** What an answer of each document is: an object, or why it cannot be one. */
export type ManifestResult = { readonly manifest: Manifest } | { readonly error: Error };

function readText(text: string, source: string, shown: string): ManifestResult[] {
  let values;
  try {
    values = documents(text);
  } catch (thrown) {
    if (!(thrown instanceof YamlError)) throw thrown;
    return [
      { error: new CommandError(`error parsing ${shown}: error converting YAML to JSON: ${thrown.message}`) },
    ];
  }
  return values
    .filter((value) => value !== null && value !== undefined)
    .flatMap((value): ManifestResult[] => {
      try {
        return flatten(checkKind(value, source), source).map((manifest) => ({ manifest }));
      } catch (thrown) {
        if (!(thrown instanceof CommandError)) throw thrown;
        return [{ error: thrown }];
      }
    });
}

export async function readManifests(
  io: Io,
  { files, recursive }: ManifestOptions,
): Promise<ManifestResult[]> {
  const results: ManifestResult[] = [];
  const paths: string[] = [];
  for (const file of files) {
    if (/^https?:\/\//.test(file))
      throw new CommandError(`${file}: manifests are read from files and stdin, not from web addresses`);
    paths.push(...(file === "-" ? ["-"] : await expand(file, io, recursive)));
  }
  for (const path of paths) {
    const text = path === "-" ? await readStdin(io) : await readFile(resolve(io.cwd, path), "utf8");
    results.push(...(path === "-" ? readText(text, "STDIN", "STDIN") : readText(text, path, path)));
  }
  return results;
}
