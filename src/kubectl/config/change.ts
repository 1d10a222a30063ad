// Changes of kubeconfig files as data, and what a file becomes by one. A change goes to the file that has the entry;
// a new entry goes to the first file that exists. Pure.

import type { KubeConfig } from "#client/kubeconfig.ts";
import type { JsonObject } from "#machinery/json-object.ts";
import type { LoadedConfig } from "../config-files.ts";
import { entriesOf, withEntries, type Section } from "./shape.ts";

export type Change =
  | { readonly kind: "current-context"; readonly value: string }
  /** No value: the entry goes. */
  | { readonly kind: "entry"; readonly section: Section; readonly name: string; readonly value?: JsonObject }
  /** The whole section goes. */
  | { readonly kind: "clear"; readonly section: Section };

/** The file that new entries are written to. */
export function defaultFile({ explicitPath, paths, files }: LoadedConfig): string {
  return explicitPath ?? files[0]?.path ?? (paths.at(-1) as string);
}

/** The files that a change touches. */
export function filesOf(change: Change, loaded: LoadedConfig): string[] {
  const having = loaded.files.filter(({ config }) => concerns(change, config)).map(({ path }) => path);
  if (change.kind === "clear") return having;
  return [having[0] ?? defaultFile(loaded)];
}

function concerns(change: Change, config: KubeConfig): boolean {
  switch (change.kind) {
    case "current-context":
      return Boolean(config["current-context"]);
    case "entry":
      return entriesOf(config, change.section).some(({ name }) => name === change.name);
    case "clear":
      return entriesOf(config, change.section).length > 0;
  }
}

export function applyChange(config: KubeConfig, change: Change): KubeConfig {
  switch (change.kind) {
    case "current-context":
      return { ...config, "current-context": change.value };
    case "clear":
      return withEntries(config, change.section, []);
    case "entry": {
      const others = entriesOf(config, change.section).filter(({ name }) => name !== change.name);
      const entries =
        change.value === undefined ? others : [...others, { name: change.name, value: change.value }];
      return withEntries(config, change.section, entries);
    }
  }
}
