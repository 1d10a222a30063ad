// Packs the published round-trip fixtures of the Kubernetes API, JSON, YAML and protobuf of every kind, for the codecs'
// test: from Debian's package of the Go API, unchanged, into one file that is checked in. Names what it was made from.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { fetchPackages, repoRoot } from "./debian.ts";

const debianPackage = "golang-k8s-api-dev";
/** The releases share most of their text: the window has to reach back over all of a release. */
const windowBits = 24;

const { src, packages } = fetchPackages([debianPackage]);
const from = join(src, "k8s.io/api/testdata");
const to = join(repoRoot, "src/machinery/codec/testdata/api");
const names = readdirSync(from, { recursive: true, encoding: "utf8" }).sort();
const fixtures = names
  .filter((name) => /\.(?:json|yaml|pb)$/.test(name))
  .map((name) => [name, readFileSync(join(from, name), name.endsWith(".pb") ? "base64" : "utf8")]);
const text = Buffer.from(JSON.stringify(Object.fromEntries(fixtures)));
const params = {
  [constants.BROTLI_PARAM_LGWIN]: windowBits,
  [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
};
writeFileSync(join(to, "published.json.br"), brotliCompressSync(text, { params }));
const source = packages.map(({ name, version, sha256 }) => ({
  name,
  version,
  sha256,
  files: fixtures.length,
}));
writeFileSync(join(to, "published.source.json"), `${JSON.stringify(source[0], null, 2)}\n`);
