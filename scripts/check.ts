// `npm test` after set-up: every check and test of the repository, in order, stopping at the first that fails.
//   --only static|unit|root   one part of it
// Tests named *.root.test.ts need root on Linux; without it they are left out, and this says so.

import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";

const node = process.execPath;
const started = performance.now();

function step(title: string, command: string, args: readonly string[]): void {
  const from = performance.now();
  console.log(`\n== ${title}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) {
    console.error(`\n${title}: failed`);
    process.exit(status ?? 1);
  }
  console.log(`   ${((performance.now() - from) / 1000).toFixed(1)} s`);
}

function tests(pattern: readonly string[], keep: (path: string) => boolean): string[] {
  return pattern
    .flatMap((one) => globSync(one))
    .filter(keep)
    .sort();
}

/** The real clients that the tests speak to the server with. Without one (no Debian, no network) its tests are skipped. */
function fetchClients(): void {
  console.log("\n== Real clients for the tests: kubectl 1.36, 1.32 and 1.20, Helm 4");
  const fetchers = ["1.36", "1.32", "1.20"].map((version) => ["sh", "scripts/reference-kubectl.sh", version]);
  for (const [command = "", ...args] of [...fetchers, [node, "scripts/reference-helm.ts"]]) {
    const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0)
      console.log(`   left out: ${args.join(" ")} failed; the tests that need it are skipped`);
  }
}

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
if (only !== undefined && !["static", "unit", "root"].includes(only)) {
  console.error(`--only takes static, unit or root, not ${only}`);
  process.exit(2);
}
const wants = (part: string): boolean => only === undefined || only === part;
const isRootTest = (path: string): boolean => path.endsWith(".root.test.ts");
const places = ["src", "test", "scripts", "bench", "examples"].filter((place) => existsSync(place));
const all = ["src/**/*.test.ts", "test/**/*.test.ts", "scripts/**/*.test.ts"];

if (wants("static")) {
  step("Repository rules", node, ["scripts/tidy.ts"]);
  step("Generated files are up to date", node, ["scripts/gen/generate.ts", "--check"]);
  step("Types", node, ["node_modules/typescript-native/bin/tsc", "--noEmit"]);
  step("Format", node, [
    "node_modules/prettier/bin/prettier.cjs",
    "--log-level",
    "warn",
    "--check",
    ...places,
  ]);
  step("Lint", node, ["--max-old-space-size=4096", "node_modules/eslint/bin/eslint.js", ...places]);
}
if (wants("unit")) {
  fetchClients();
  step("Unit and API tests", node, [
    "--test",
    "--test-concurrency=2",
    ...tests(all, (path) => !isRootTest(path)),
  ]);
}
if (wants("root")) {
  const files = tests(all, isRootTest);
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    console.log(
      `\n== Left out: ${files.length} files of tests with real containers (they need root on Linux: run 'sudo npm test')`,
    );
  } else {
    step("System packages for the tests with real containers", "sh", ["scripts/setup.sh"]);
    step("Tests with real containers", node, [
      "--test",
      "--test-concurrency=1",
      "--test-reporter=spec",
      ...files,
    ]);
  }
}
console.log(`\nAll passed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
