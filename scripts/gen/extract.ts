// Makes src/machinery/gen/facts.json, the fact table of every built-in API message, from the Debian packages
// of the Kubernetes Go API: names, numbers, types, tags and markers. No prose is taken over.
// The row syntax is described in src/machinery/schema/facts.ts, which reads it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchPackages, repoRoot } from "./debian.ts";
import { readGoPackage, type GoField, type GoNamed, type GoPackage, type Marker } from "./go-source.ts";
import { readProtoMessages, type ProtoMessages } from "./proto-source.ts";
import { handWritten } from "./hand-written.ts";

const debianPackages = [
  "golang-k8s-api-dev",
  "golang-k8s-apimachinery-dev",
  "golang-k8s-client-go-dev",
  "golang-k8s-apiextensions-apiserver-dev",
  "golang-k8s-metrics-dev",
];

/** Folders of k8s.io/api in this release; the short name of each package is its last two path parts. */
const apiPackages = `admission/v1 admission/v1beta1 admissionregistration/v1 admissionregistration/v1alpha1
  admissionregistration/v1beta1 apidiscovery/v2 apidiscovery/v2beta1 apiserverinternal/v1alpha1 apps/v1 apps/v1beta1
  apps/v1beta2 authentication/v1 authentication/v1alpha1 authentication/v1beta1 authorization/v1 authorization/v1beta1
  autoscaling/v1 autoscaling/v2 batch/v1 batch/v1beta1 certificates/v1 certificates/v1alpha1 certificates/v1beta1
  coordination/v1 coordination/v1alpha2 coordination/v1beta1 core/v1 discovery/v1 discovery/v1beta1 events/v1
  events/v1beta1 extensions/v1beta1 flowcontrol/v1 flowcontrol/v1beta1 flowcontrol/v1beta2 flowcontrol/v1beta3
  imagepolicy/v1alpha1 networking/v1 networking/v1beta1 node/v1 node/v1alpha1 node/v1beta1 policy/v1 policy/v1beta1
  rbac/v1 rbac/v1alpha1 rbac/v1beta1 resource/v1 resource/v1alpha3 resource/v1beta1 resource/v1beta2 scheduling/v1
  scheduling/v1alpha2 scheduling/v1beta1 storage/v1 storage/v1alpha1 storage/v1beta1 storagemigration/v1beta1`
  .split(/\s+/)
  .map((name) => `k8s.io/api/${name}`);
const goPackages = [
  ...apiPackages,
  "k8s.io/apimachinery/pkg/apis/meta/v1",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
  "k8s.io/metrics/pkg/apis/metrics/v1beta1",
  "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2",
  "k8s.io/metrics/pkg/apis/external_metrics/v1beta1",
];

export type GroupVersionFacts = {
  group: string;
  version: string;
  openapi: string;
  kinds: string[];
  enums: { [name: string]: string[] };
  messages: { [name: string]: string };
};

const specials: { [goType: string]: string } = {
  "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
  "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intorstring",
  "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "time",
  "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "microtime",
  "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "duration",
  "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "fields",
  "k8s.io/apimachinery/pkg/runtime.RawExtension": "raw",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "json",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray": "schemaorarray",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool": "schemaorbool",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaorstrings",
};
const scalars: { [goType: string]: string } = {
  string: "string",
  bool: "bool",
  int: "int64",
  int32: "int32",
  int64: "int64",
  float64: "double",
  "[]byte": "bytes",
};
/** Named strings of packages outside the table. */
const foreignNames: { [goType: string]: string } = {
  "k8s.io/apimachinery/pkg/types.UID": "types.UID=string",
  "k8s.io/apimachinery/pkg/types.NodeName": "types.NodeName=string",
  "k8s.io/apimachinery/pkg/api/resource.Scale": "resource.Scale=int32",
};

const shortName = (importPath: string): string => importPath.split("/").slice(-2).join("/");
const markerOf = (markers: readonly Marker[], name: string): string | undefined =>
  markers.find((marker) => marker.name === name)?.value;

class Extractor {
  readonly packages = new Map<string, GoPackage>();
  readonly protos = new Map<string, ProtoMessages>();
  readonly problems: string[] = [];

  constructor(src: string) {
    for (const path of goPackages) {
      this.packages.set(path, readGoPackage(join(src, path)));
      const proto = join(src, path, "generated.proto");
      if (existsSync(proto)) this.protos.set(path, readProtoMessages(readFileSync(proto, "utf8")));
    }
  }

  /** The import path and name of a Go type as seen from a package. */
  private qualify(path: string, goType: string): { path: string; name: string } {
    const dot = goType.indexOf(".");
    if (dot < 0) return { path, name: goType };
    const imported = this.packages.get(path)?.imports.get(goType.slice(0, dot));
    if (imported === undefined) throw new Error(`${path}: unknown import in ${goType}`);
    return { path: imported, name: goType.slice(dot + 1) };
  }

  /** A Go type in row syntax, e.g. `*int32`, `[]Container`, `ResourceList={ResourceName}quantity`. */
  typeRow(path: string, from: string, goType: string): string {
    const scalar = scalars[goType];
    if (scalar !== undefined) return scalar;
    if (goType.startsWith("*")) return `*${this.typeRow(path, from, goType.slice(1))}`;
    if (goType.startsWith("[]")) return `[]${this.typeRow(path, from, goType.slice(2))}`;
    const map = /^map\[([\w.]+)\](.*)$/.exec(goType);
    if (map) {
      const key = map[1] === "string" ? "" : this.nameFrom(from, this.qualify(path, map[1] ?? ""));
      return `{${key}}${this.typeRow(path, from, map[2] ?? "")}`;
    }
    const target = this.qualify(path, goType);
    const full = `${target.path}.${target.name}`;
    const special = specials[full] ?? foreignNames[full];
    if (special !== undefined) return special;
    const pkg = this.packages.get(target.path);
    const named = pkg?.named.get(target.name);
    if (named?.alias) return this.typeRow(target.path, from, named.target);
    if (named && !this.isStruct(target.path, named)) return this.namedRow(target, named, from);
    if (!pkg?.structs.has(target.name) && !named)
      throw new Error(`${path}: unknown type ${goType} (${full})`);
    return this.nameFrom(from, target);
  }

  private namedRow(target: { path: string; name: string }, named: GoNamed, from: string): string {
    const wrapped = this.protos.get(target.path)?.has(target.name) ?? false;
    const row = this.typeRow(target.path, from, named.target);
    return `${this.nameFrom(from, target)}${wrapped ? "#" : "="}${row}`;
  }

  private nameFrom(from: string, target: { path: string; name: string }): string {
    return target.path === from ? target.name : `${shortName(target.path)}.${target.name}`;
  }

  private isStruct(path: string, named: GoNamed): boolean {
    if (scalars[named.target] !== undefined || /^(\[\]|map\[|\*)/.test(named.target)) return false;
    const target = this.qualify(path, named.target);
    return this.packages.get(target.path)?.structs.has(target.name) ?? false;
  }

  private fieldRow(path: string, struct: string, field: GoField): string | undefined {
    const json = (field.tags.get("json") ?? "").split(",");
    const proto = (field.tags.get("protobuf") ?? "").split(",");
    if (!field.tags.has("json") || json[0] === "-") return undefined;
    const inline = json.includes("inline");
    if (inline && field.goName === "TypeMeta") return "~TypeMeta";
    const protoName = proto.find((part) => part.startsWith("name="))?.slice("name=".length) ?? "";
    const number = proto[1] ?? "0";
    const type = this.typeRow(path, path, field.type);
    if (inline || json[0] === "") return `~${protoName} ${number} ${type}`;
    this.checkProto(path, struct, protoName, number);
    return [json[0], number, type, ...this.flags(path, field, json)].join(" ");
  }

  private flags(path: string, field: GoField, json: string[]): string[] {
    const flags: string[] = [];
    const { markers } = field;
    const emitted = !json.includes("omitempty") && !json.includes("omitzero");
    const optional = markerOf(markers, "optional") !== undefined;
    if (emitted) flags.push(optional ? "e" : "!");
    if (json.includes("omitzero")) flags.push("z");
    const mergeKey = field.tags.get("patchMergeKey");
    const strategy = field.tags.get("patchStrategy");
    if (mergeKey !== undefined) flags.push(`m=${mergeKey}`);
    if (strategy !== undefined) flags.push(`p=${strategy}`);
    const list = markerOf(markers, "listType");
    if (list !== undefined) flags.push(`l=${list}`);
    const keys = markers.filter((marker) => marker.name === "listMapKey").map((marker) => marker.value);
    if (keys.length > 0) flags.push(`k=${keys.join(",")}`);
    if (markerOf(markers, "structType") === "atomic" || markerOf(markers, "mapType") === "atomic")
      flags.push("a");
    const fallback = markerOf(markers, "default");
    if (fallback !== undefined) flags.push(`d=${this.defaultValue(path, fallback)}`);
    return flags;
  }

  private defaultValue(path: string, text: string): string {
    const ref = /^ref\(([\w.]+)\)$/.exec(text);
    if (!ref) return JSON.stringify(JSON.parse(text));
    const constant = this.packages.get(path)?.constants.get(ref[1] ?? "");
    if (constant === undefined) throw new Error(`${path}: unknown default ${text}`);
    return JSON.stringify(constant.value);
  }

  private checkProto(path: string, struct: string, name: string, number: string): void {
    const message = this.protos.get(path)?.get(struct);
    if (message === undefined || number === "0") return;
    if (message.get(name) !== Number(number))
      this.problems.push(`${path}.${struct}.${name}: number ${number}`);
  }

  private messageRow(path: string, name: string, markers: readonly Marker[], fields: GoField[]): string {
    const rows = fields.map((field) => this.fieldRow(path, name, field)).filter((row) => row !== undefined);
    const atomic = markerOf(markers, "structType") === "atomic" || markerOf(markers, "mapType") === "atomic";
    const known = this.protos.get(path)?.get(name);
    const numbers = rows.map((row) => Number(row.split(" ")[1] ?? 0)).filter((number) => number > 0);
    if (known && [...known.values()].some((number) => !numbers.includes(number))) {
      this.problems.push(`${path}.${name}: fields ${[...known]} but found ${numbers}`);
    }
    const cluster = markerOf(markers, "genclient:nonNamespaced") !== undefined;
    return [...(atomic ? ["@atomic"] : []), ...(cluster ? ["@cluster"] : []), ...rows].join("; ");
  }

  private constantValue(path: string, constant: { value: string; ref?: string }): string {
    if (constant.ref === undefined) return constant.value;
    const target = this.qualify(path, constant.ref);
    const found = this.packages.get(target.path)?.constants.get(target.name);
    if (found === undefined) throw new Error(`${path}: unknown constant ${constant.ref}`);
    return this.constantValue(target.path, found);
  }

  private enumsOf(path: string, pkg: GoPackage): { [name: string]: string[] } {
    const enums: { [name: string]: string[] } = {};
    for (const named of [...pkg.named.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (markerOf(named.markers, "enum") === undefined || named.alias) continue;
      const values = [...pkg.constants.values()].filter((c) => c.type === named.name);
      const texts = values.map((constant) => this.constantValue(path, constant));
      if (texts.length > 0) enums[named.name] = [...new Set(texts)].sort();
    }
    return enums;
  }

  groupVersion(path: string): GroupVersionFacts {
    const pkg = this.packages.get(path);
    if (!pkg) throw new Error(`no package ${path}`);
    const messages: { [name: string]: string } = {};
    const names = [
      ...pkg.structs.keys(),
      ...[...pkg.named.values()].filter((n) => !n.alias).map((n) => n.name),
    ].sort();
    for (const name of names) {
      if (specials[`${path}.${name}`] !== undefined || this.isInternal(path, name)) continue;
      const struct = pkg.structs.get(name);
      const named = pkg.named.get(name);
      if (struct) messages[name] = this.messageRow(path, name, struct.markers, struct.fields);
      else if (named && this.isStruct(path, named)) {
        const target = this.qualify(path, named.target);
        const copied = this.packages.get(target.path)?.structs.get(target.name);
        messages[name] = this.copiedRow(path, target.path, name, copied?.fields ?? []);
      }
    }
    const kinds = pkg.kinds.filter((kind) => messages[kind] !== undefined);
    return {
      group: pkg.groupName,
      version: path.split("/").at(-1) ?? "",
      openapi: `io.${path.replaceAll("/", ".").replace(/^k8s\.io\./, "k8s.")}`,
      kinds,
      enums: this.enumsOf(path, pkg),
      messages,
    };
  }

  /** `type List metav1.List`: the fields of another package's struct under a new name. */
  private copiedRow(path: string, origin: string, name: string, fields: GoField[]): string {
    const rows = fields.map((field) => this.fieldRow(origin, name, field));
    const qualified = rows.map((row) =>
      row?.replace(/^(~?\S+ \d+ )((?:\*|\[\]|\{\})*)([A-Z]\w*)$/, `$1$2${shortName(origin)}.$3`),
    );
    const relative = qualified.map((row) =>
      row?.replace(/^(\S+ \d+ (?:\*|\[\])*)([A-Z]\w*)( |$)/, `$1${shortName(origin)}.$2$3`),
    );
    return (path === origin ? rows : relative).filter((row) => row !== undefined).join("; ");
  }

  /** Structs that never travel: no JSON field and no protobuf message. */
  private isInternal(path: string, name: string): boolean {
    if (this.protos.get(path)?.has(name)) return false;
    const fields = this.packages.get(path)?.structs.get(name)?.fields ?? [];
    if (name === "InternalEvent") return true;
    return !fields.some((field) => field.tags.has("json") && field.tags.get("json") !== "-");
  }
}

const render = (facts: { [name: string]: GroupVersionFacts }): string => {
  const groups = Object.entries(facts).map(([name, { messages, ...head }]) => {
    const rows = Object.entries(messages).map(
      ([message, row]) => `${JSON.stringify(message)}:${JSON.stringify(row)}`,
    );
    return `${JSON.stringify(name)}:${JSON.stringify(head).slice(0, -1)},"messages":{\n${rows.join(",\n")}}}`;
  });
  return `{\n${groups.join(",\n")}\n}\n`;
};

const applySchema = "k8s.io/client-go/applyconfigurations/internal/internal.go";

const main = async (): Promise<void> => {
  const { src, packages } = fetchPackages(debianPackages);
  const extractor = new Extractor(src);
  const facts: { [name: string]: GroupVersionFacts } = {};
  for (const path of goPackages) facts[shortName(path)] = extractor.groupVersion(path);
  Object.assign(facts, handWritten);
  if (extractor.problems.length > 0) throw new Error(extractor.problems.join("\n"));
  const out = join(repoRoot, "src/machinery/gen");
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "facts.json"), render(facts));
  const sources = Object.fromEntries(packages.map((p) => [p.name, { version: p.version, sha256: p.sha256 }]));
  writeFileSync(join(out, "facts.sources.json"), `${JSON.stringify(sources, null, 2)}\n`);
  // It reads the table that was just written, so it may be loaded only now.
  const { compareWithApplySchema } = await import("./apply-schema.ts");
  const differences = compareWithApplySchema(join(src, applySchema));
  if (differences.length > 0) throw new Error(differences.join("\n"));
};

await main();
