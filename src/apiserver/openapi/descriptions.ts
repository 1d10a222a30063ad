// Where the API's documentation is read from: a file that the build has made beside the programs (scripts/build.ts),
// or, in a clone, the type declarations of two libraries that are installed for development. The official client has
// every type of this release, but says nothing of fields that hold another type; kubernetes-types does. Without any of
// them, nothing is said.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Describe } from "#machinery/schema/openapi.ts";
import { ownDescriptions } from "./own-descriptions.ts";
import { modelNames, parseModels, propertyNames, type ModelText } from "./model-text.ts";

/** Texts by file (`V1Pod`, `core/v1`) and type. */
type Texts = Readonly<Record<string, Readonly<Record<string, ModelText>>>>;
type FileOf = (file: string) => Texts[string] | undefined;

function installed(from: string, name: string, folder: string): string | undefined {
  try {
    return join(dirname(createRequire(from).resolve(`${name}/package.json`)), folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The folders of declarations that are installed where `from` would find them. */
export const declarationFolders = (from: string): string[] =>
  [
    installed(from, "@kubernetes/client-node", "dist/gen/models"),
    installed(from, "kubernetes-types", ""),
  ].filter((folder) => folder !== undefined);

/** All of it, as one file. */
export function packDescriptions(from: string): string {
  const files: [string, Record<string, ModelText>][] = declarationFolders(from).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".d.ts"))
      .map((name) => [name.slice(0, -".d.ts".length), parseModels(readFileSync(join(folder, name), "utf8"))]),
  );
  return JSON.stringify(Object.fromEntries(files));
}

function fromFolders(folders: readonly string[]): FileOf {
  const known = new Map<string, Texts[string] | undefined>();
  return (file) => {
    if (!known.has(file)) {
      const path = folders.map((folder) => join(folder, `${file}.d.ts`)).find((one) => existsSync(one));
      known.set(file, path === undefined ? undefined : parseModels(readFileSync(path, "utf8")));
    }
    return known.get(file);
  };
}

function fromPacked(path: string): FileOf {
  const texts = JSON.parse(readFileSync(path, "utf8")) as Texts;
  return (file) => (Object.hasOwn(texts, file) ? texts[file] : undefined);
}

/** `packed` is where the build puts its file; `from` is who finds the libraries. */
export function readDescriptions(packed: string, from: string): Describe {
  const fileOf = existsSync(packed) ? fromPacked(packed) : fromFolders(declarationFolders(from));
  return (ref, field) => {
    const at = ref.indexOf(".");
    const places = [
      ...modelNames(ref).map((name) => [name, name] as const),
      [ref.slice(0, at), ref.slice(at + 1)] as const,
    ];
    const names = field === undefined ? [""] : propertyNames(field);
    for (const [file, type] of places) {
      const text = fileOf(file)?.[type];
      for (const name of names) if (text !== undefined && Object.hasOwn(text, name)) return text[name];
    }
    return ownDescriptions[ref]?.[field ?? ""];
  };
}
