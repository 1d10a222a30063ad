// Manifests: the documents of files, folders and stdin, as objects with the place each came from.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { isObject, type JsonObject } from "#machinery/json-object.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, type Io } from "../command.ts";
import { splitDocuments } from "./documents.ts";
import { metadataProblem } from "./metadata-check.ts";
import { validationProblem } from "./validation.ts";

export interface Manifest {
  readonly object: KubeObject & JsonObject;
  /** The file, or `STDIN`. */
  readonly source: string;
}

export type ManifestResult = Manifest | { readonly error: unknown };

export interface ManifestOptions {
  readonly files: readonly string[];
  readonly recursive: boolean;
  /** Whether documents are looked through before they are taken for objects: what `create --validate` asks for. */
  readonly validate?: boolean;
}

const extensions = new Set([".json", ".yaml", ".yml"]);

function filesUnder(dir: string, shown: string, recursive: boolean): string[] {
  const entries = readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(shown, entry.name);
    if (entry.isDirectory()) return recursive ? filesUnder(join(dir, entry.name), path, true) : [];
    return extensions.has(extname(entry.name)) ? [path] : [];
  });
}

function expand(path: string, cwd: string, recursive: boolean): string[] {
  const full = resolve(cwd, path);
  const found = statSync(full, { throwIfNoEntry: false });
  if (found === undefined) throw new CommandError(`the path ${JSON.stringify(path)} does not exist`);
  if (!found.isDirectory()) return [path];
  const files = filesUnder(full, path, recursive);
  if (files.length === 0)
    throw new CommandError(`error reading [${path}]: recognized file extensions are [.json .yaml .yml]`);
  return files;
}

/** The text of a file, or of stdin where it is `-`. */
export async function readSource(io: Io, path: string): Promise<string> {
  if (path !== "-") return readFileSync(resolve(io.cwd, path), "utf8");
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin.stream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const undecodable = (source: string, why: string): CommandError =>
  new CommandError(`unable to decode ${JSON.stringify(source)}: ${why}`);

function objectOf(value: unknown, source: string): KubeObject & JsonObject {
  if (!isObject(value)) {
    const type = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    throw undecodable(source, `json: cannot unmarshal ${type} into Go value of type unstructured.detector`);
  }
  if (typeof value["kind"] !== "string" || value["kind"] === "")
    throw undecodable(source, `Object 'Kind' is missing in '${JSON.stringify(value)}'`);
  const problem = metadataProblem(value["metadata"]);
  if (problem !== undefined) throw undecodable(source, problem);
  return value as KubeObject & JsonObject;
}

/** Lists stand for their items; an item that does not say what it is, is what the list is a list of. */
function flatten(object: KubeObject & JsonObject, source: string): Manifest[] {
  const { items, kind = "" } = object;
  if (!Array.isArray(items) || !kind.endsWith("List")) return [{ object, source }];
  return (items as unknown[]).flatMap((item) => {
    const whole =
      isObject(item) && kind !== "List"
        ? { apiVersion: object.apiVersion, kind: kind.slice(0, -"List".length), ...item }
        : item;
    return flatten(objectOf(whole, source), source);
  });
}

async function readText(text: string, source: string, validate: boolean): Promise<ManifestResult[]> {
  const { values, error } = await splitDocuments(text);
  const results = values.flatMap((value): ManifestResult[] => {
    try {
      const problem = validate ? validationProblem(value) : undefined;
      if (problem !== undefined) throw invalidManifest(source, problem);
      return flatten(objectOf(value, source), source);
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      return [{ error: thrown }];
    }
  });
  return error === undefined
    ? results
    : [...results, { error: new CommandError(`error parsing ${source}: ${error}`) }];
}

/** What client-side validation says. */
export const invalidManifest = (source: string, problem: string): CommandError =>
  new CommandError(
    `error validating ${JSON.stringify(source)}: error validating data: ${problem}; if you choose to ignore these errors, turn validation off with --validate=false`,
  );

export async function readManifests(
  io: Io,
  { files, recursive, validate = false }: ManifestOptions,
): Promise<ManifestResult[]> {
  const results: ManifestResult[] = [];
  const paths: string[] = [];
  for (const file of files) {
    if (/^https?:\/\//.test(file))
      throw new CommandError(`${file}: manifests are read from files and stdin, not from web addresses`);
    paths.push(...(file === "-" ? ["-"] : expand(file, io.cwd, recursive)));
  }
  for (const path of paths) {
    const text = await readSource(io, path);
    results.push(...(await readText(text, path === "-" ? "STDIN" : path, validate)));
  }
  return results;
}
