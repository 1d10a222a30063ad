// Makes src/cri/gen/cri-api.json: protobufjs JSON descriptors (names, numbers and types only) of the CRI v1
// services and of containerd's event stream, from the .proto files of the Debian packages.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import { fetchPackages, repoRoot } from "./debian.ts";

const packages = ["golang-k8s-cri-api-dev", "golang-github-containerd-containerd-api-dev"];
const protoFiles = [
  "k8s.io/cri-api/pkg/apis/runtime/v1/api.proto",
  "github.com/containerd/containerd/api/services/events/v1/events.proto",
  "github.com/containerd/containerd/api/types/event.proto",
  "github.com/containerd/containerd/api/types/mount.proto",
  "github.com/containerd/containerd/api/events/container.proto",
  "github.com/containerd/containerd/api/events/image.proto",
  "github.com/containerd/containerd/api/events/task.proto",
];
const wellKnown = ["any", "empty", "timestamp", "wrappers"];

type Json = { [key: string]: unknown };

/** Drops file and field options that carry no wire meaning (go_package, gogoproto, comments). */
const strip = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(strip);
  if (node === null || typeof node !== "object") return node;
  const entries = Object.entries(node as Json)
    .filter(([key]) => key !== "comment" && key !== "parsedOptions")
    .map(([key, value]): [string, unknown] => {
      if (key !== "options" || value === null || typeof value !== "object") return [key, strip(value)];
      // A field that is itself called `options` (DNSConfig has one) is not a set of options.
      if (typeof (value as Json)["id"] === "number") return [key, strip(value)];
      const kept = Object.entries(value).filter(([name]) => name === "packed" || name === "proto3_optional");
      return [key, Object.fromEntries(kept)];
    })
    .filter(([key, value]) => key !== "options" || Object.keys(value as Json).length > 0);
  return Object.fromEntries(entries);
};

const { src, packages: sources } = fetchPackages(packages);
const root = new protobuf.Root();
for (const name of wellKnown) {
  const common = protobuf.common.get(`google/protobuf/${name}.proto`);
  if (common?.nested) root.addJSON(common.nested);
}
for (const file of protoFiles)
  protobuf.parse(readFileSync(join(src, file), "utf8"), root, { keepCase: false });
root.resolveAll();

const out = join(repoRoot, "src/cri/gen");
mkdirSync(out, { recursive: true });
const versions = Object.fromEntries(sources.map((s) => [s.name, { version: s.version, sha256: s.sha256 }]));
writeFileSync(join(out, "cri-api.json"), `${JSON.stringify(strip(root.toJSON({ keepComments: false })))}\n`);
writeFileSync(join(out, "cri-api.sources.json"), `${JSON.stringify(versions, null, 2)}\n`);
