// Reads gofmt-ed Go API packages as data: structs with their tags and +markers, named types, constants,
// import names and the kinds a package registers. It knows regular API sources, not the whole language.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type GoField = {
  goName: string;
  embedded: boolean;
  type: string;
  tags: Map<string, string>;
  markers: Marker[];
};
export type Marker = { name: string; value: string };
export type GoStruct = { name: string; fields: GoField[]; markers: Marker[] };
export type GoNamed = { name: string; target: string; alias: boolean; markers: Marker[] };
export type GoPackage = {
  structs: Map<string, GoStruct>;
  named: Map<string, GoNamed>;
  /** Constants by name, with the type they were declared with ("" for none); `ref` names another constant. */
  constants: Map<string, { type: string; value: string; ref?: string }>;
  /** import name → import path, of all files together */
  imports: Map<string, string>;
  groupName: string;
  kinds: string[];
};

const skipFile = /(_test|\.pb|zz_generated.*|types_swagger_doc_generated|fuzzer)\.go$/;

const parseMarker = (comment: string): Marker | undefined => {
  const match = /^\/\/ ?\+([A-Za-z0-9:()._-]+?)(?:=(.*))?$/.exec(comment.trim());
  return match ? { name: match[1] ?? "", value: (match[2] ?? "").trim() } : undefined;
};

const parseTags = (text: string): Map<string, string> => {
  const tags = new Map<string, string>();
  for (const match of text.matchAll(/([a-zA-Z]+):"([^"]*)"/g)) tags.set(match[1] ?? "", match[2] ?? "");
  return tags;
};

const parseField = (line: string, markers: Marker[]): GoField | undefined => {
  const match = /^\t(?:(\w+)\s+)?([\w.*[\]]+|map\[[\w.]+\]\S+)(?:\s+`([^`]*)`)?\s*(?:\/\/.*)?$/.exec(line);
  if (!match) return undefined;
  const type = match[2] ?? "";
  const embedded = match[1] === undefined;
  const goName = match[1] ?? type.replace(/^.*[.*]/, "");
  return { goName, embedded, type, tags: parseTags(match[3] ?? ""), markers };
};

class Reader {
  readonly pkg: GoPackage;
  private markers: Marker[] = [];
  private struct: GoStruct | undefined;

  constructor(pkg: GoPackage) {
    this.pkg = pkg;
  }

  line(line: string): void {
    const trimmed = line.trim();
    if (trimmed.startsWith("//")) {
      const marker = parseMarker(trimmed);
      if (marker) this.markers.push(marker);
      return;
    }
    if (this.struct) {
      this.structLine(line, trimmed);
      return;
    }
    // Markers may stand a blank line above the declaration they belong to.
    if (trimmed === "") return;
    this.topLine(line);
    this.markers = [];
  }

  private structLine(line: string, trimmed: string): void {
    const struct = this.struct;
    if (line === "}") this.struct = undefined;
    else if (trimmed !== "" && struct) {
      const field = parseField(line, this.markers);
      if (field) struct.fields.push(field);
    }
    if (trimmed !== "") this.markers = [];
  }

  private topLine(line: string): void {
    const open = /^type (\w+) struct ?\{(\})?$/.exec(line);
    if (open) {
      const struct: GoStruct = { name: open[1] ?? "", fields: [], markers: this.markers };
      this.pkg.structs.set(struct.name, struct);
      if (open[2] === undefined) this.struct = struct;
      return;
    }
    const named = /^type (\w+) (= )?([\w.[\]*]+)\s*(?:\/\/.*)?$/.exec(line);
    if (named) {
      const name = named[1] ?? "";
      this.pkg.named.set(name, {
        name,
        alias: named[2] !== undefined,
        target: named[3] ?? "",
        markers: this.markers,
      });
      return;
    }
    const constant =
      /^(?:\t|const )(\w+)(?:\s+(\w+))?\s*=\s*(?:(\w+)\()?("[^"]*"|-?\d+)\)?\s*(?:\/\/.*)?$/.exec(line);
    if (constant) {
      const value = (constant[4] ?? "").replace(/^"(.*)"$/, "$1");
      this.pkg.constants.set(constant[1] ?? "", { type: constant[2] ?? constant[3] ?? "", value });
    }
    const renamed = /^\t(\w+)(?:\s+(\w+))?\s*=\s*(?:(\w+)\()?([\w.]*[A-Z]\w+)\)?$/.exec(line);
    if (renamed) {
      const type = renamed[2] ?? renamed[3] ?? "";
      this.pkg.constants.set(renamed[1] ?? "", { type, value: "", ref: renamed[4] ?? "" });
    }
    const imported = /^\t(?:(\w+) )?"([\w./-]+)"$/.exec(line);
    if (imported) {
      const path = imported[2] ?? "";
      this.pkg.imports.set(imported[1] ?? path.replace(/^.*\//, ""), path);
    }
  }
}

const registeredKinds = (text: string): string[] => {
  const kinds: string[] = [];
  for (const call of text.matchAll(/scheme\.AddKnownTypes\(\s*SchemeGroupVersion,([^;]*?)\n\t\)/g)) {
    for (const kind of (call[1] ?? "").matchAll(/&(\w+)\{\}/g)) kinds.push(kind[1] ?? "");
  }
  for (const call of text.matchAll(
    /AddKnownTypeWithName\(SchemeGroupVersion\.WithKind\("\w+"\), &(\w+)\{\}\)/g,
  )) {
    kinds.push(call[1] ?? "");
  }
  return kinds;
};

export const readGoPackage = (dir: string): GoPackage => {
  const pkg: GoPackage = {
    structs: new Map(),
    named: new Map(),
    constants: new Map(),
    imports: new Map(),
    groupName: "",
    kinds: [],
  };
  for (const file of readdirSync(dir)
    .filter((name) => name.endsWith(".go") && !skipFile.test(name))
    .sort()) {
    const text = readFileSync(join(dir, file), "utf8");
    const reader = new Reader(pkg);
    for (const line of text.split("\n")) reader.line(line);
    if (file === "register.go") {
      pkg.groupName = /const GroupName = "([^"]*)"/.exec(text)?.[1] ?? pkg.groupName;
      pkg.kinds = registeredKinds(text);
    }
  }
  return pkg;
};
