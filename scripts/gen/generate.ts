// Makes src/machinery/gen/types/*.ts, one TypeScript interface per API message, from the fact table.
// `--check` makes them again in memory and fails when the checked-in files differ. Offline, deterministic.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  parseMessage,
  readFacts,
  type FactTable,
  type Field,
  type Message,
  type Type,
} from "../../src/machinery/schema/facts.ts";
import { repoRoot } from "./debian.ts";

const outDir = join(repoRoot, "src/machinery/gen/types");

/** Written by hand in machinery, since every layer uses them. */
const handTypes: ReadonlySet<string> = new Set(["ObjectMeta", "OwnerReference", "ListMeta"]);

const fileName = (package_: string): string => `${package_.replace("/", "-").replaceAll("_", "-")}.ts`;

const scalarTypes: { readonly [name: string]: string } = {
  string: "string",
  bool: "boolean",
  int32: "number",
  int64: "number",
  double: "number",
  bytes: "string",
  quantity: "string",
  intorstring: "number | string",
  time: "string",
  microtime: "string",
  duration: "string",
  fields: "Record<string, unknown>",
  raw: "unknown",
  json: "unknown",
  schemaorarray: "JSONSchemaProps | JSONSchemaProps[]",
  schemaorbool: "JSONSchemaProps | boolean",
  schemaorstrings: "JSONSchemaProps | string[]",
};

class TypesFile {
  private readonly imports = new Map<string, Set<string>>();
  private readonly facts: FactTable;
  private readonly package_: string;

  constructor(facts: FactTable, package_: string) {
    this.facts = facts;
    this.package_ = package_;
  }

  private reference(ref: string): string {
    const dot = ref.indexOf(".");
    const package_ = ref.slice(0, dot);
    const name = ref.slice(dot + 1);
    if (package_ === this.package_) return name;
    const names = this.imports.get(package_) ?? new Set();
    this.imports.set(package_, names.add(name));
    // Two versions of one message may meet in a file: the foreign one gets its version as a prefix.
    const clashes = this.facts[this.package_]?.messages[name] !== undefined;
    return clashes ? `${prefixOf(package_)}${name}` : name;
  }

  private typeText(type: Type): string {
    if (type.list !== undefined) {
      const element = this.typeText(type.list);
      return element.includes(" ") ? `(${element})[]` : `${element}[]`;
    }
    if (type.map !== undefined) return `Record<string, ${this.typeText(type.map)}>`;
    if (type.message !== undefined) return this.reference(type.message);
    // A time that is a plain struct is written as null while it is not set.
    if (!type.pointer && (type.scalar === "time" || type.scalar === "microtime")) return "string | null";
    const text = scalarTypes[type.scalar ?? ""];
    if (text === undefined) throw new Error(`no TypeScript type for ${type.scalar}`);
    return text;
  }

  private fieldText(field: Field): string {
    const name = /^[A-Za-z_$][\w$]*$/.test(field.name) ? field.name : JSON.stringify(field.name);
    return `  ${name}${field.required ? "" : "?"}: ${this.typeText(field.type)};\n`;
  }

  private interfaceText(message: Message): string {
    const parents = message.fields.filter((field) => field.inline).map((field) => this.typeText(field.type));
    const own = message.fields.filter((field) => !field.inline);
    const head = parents.length === 0 ? "" : ` extends ${parents.join(", ")}`;
    const meta = message.hasTypeMeta ? "  apiVersion?: string;\n  kind?: string;\n" : "";
    return `export interface ${message.name}${head} {\n${meta}${own.map((field) => this.fieldText(field)).join("")}}\n`;
  }

  render(): string {
    const group = this.facts[this.package_];
    if (group === undefined) throw new Error(`no package ${this.package_}`);
    const names = Object.keys(group.messages);
    const byHand = this.package_ === "meta/v1" ? handTypes : new Set<string>();
    const interfaces = names
      .filter((name) => !byHand.has(name))
      .map((name) => this.interfaceText(parseMessage(this.package_, name, group.messages[name] ?? "")));
    return [
      `// Made by scripts/gen/generate.ts from facts.json: the messages of ${group.group || "core"}/${group.version}.\n`,
      ...this.importLines(byHand),
      ...interfaces,
    ].join("\n");
  }

  private importLines(byHand: ReadonlySet<string>): string[] {
    const lines = [...this.imports]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([package_, names]) => {
        const own = this.facts[this.package_]?.messages ?? {};
        const list = [...names]
          .sort()
          .map((n) => (own[n] === undefined ? n : `${n} as ${prefixOf(package_)}${n}`));
        return `import type { ${list.join(", ")} } from "./${fileName(package_)}";\n`;
      });
    if (byHand.size > 0) {
      const list = [...byHand].sort().join(", ");
      lines.push(`import type { ${list} } from "../../meta.ts";\nexport type { ${list} };\n`);
    }
    return lines.length === 0 ? [] : [lines.join("")];
  }
}

const prefixOf = (package_: string): string => {
  const version = package_.split("/")[1] ?? "";
  return `${version.charAt(0).toUpperCase()}${version.slice(1)}`;
};

const main = (): void => {
  const facts = readFacts();
  const files = new Map<string, string>();
  for (const package_ of Object.keys(facts)) {
    files.set(fileName(package_), new TypesFile(facts, package_).render());
  }
  if (process.argv.includes("--check")) {
    const onDisk = existsSync(outDir) ? readdirSync(outDir) : [];
    const stale = [...files].filter(([name, text]) => {
      return !onDisk.includes(name) || readFileSync(join(outDir, name), "utf8") !== text;
    });
    const extra = onDisk.filter((name) => !files.has(name));
    if (stale.length + extra.length === 0) return;
    console.error(`not what the fact table gives: ${[...stale.map(([name]) => name), ...extra].join(", ")}`);
    console.error("run: scripts/node scripts/gen/generate.ts");
    process.exitCode = 1;
    return;
  }
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(outDir, name), text);
};

main();
