import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkBans,
  checkDirection,
  checkHeader,
  checkName,
  checkUnusedExports,
  parseLayers,
} from "./rules.ts";

const layers = parseLayers(
  "L2  store  cri\nL4  apiserver │ controllers kubelet      never import each other\nL1  machinery   what\nL0  base\n".replace(
    "store  cri",
    "store cri   x",
  ),
);

test("the layer table is read from the architecture", () => {
  assert.deepEqual(Object.fromEntries(layers), {
    store: 2,
    cri: 2,
    apiserver: 4,
    controllers: 4,
    kubelet: 4,
    machinery: 1,
    base: 0,
  });
});

const file = (path: string, text: string) => ({ path, text });

test("imports point down", () => {
  for (const [path, text, count] of [
    ["src/store/a.ts", 'import { x } from "#base/x.ts";', 0],
    ["src/store/a.ts", 'import { x } from "./x.ts";', 0],
    ["src/store/a.ts", 'import { x } from "#kubelet/x.ts";', 1],
    ["src/store/a.ts", 'import { x } from "#cri/x.ts";', 1],
    ["src/store/a.ts", 'const x = await import("#apiserver/x.ts");', 1],
    ["src/store/a.ts", 'import { x } from "../base/x.ts";', 1],
    ["src/store/sub/a.ts", 'import { x } from "../x.ts";', 0],
    ["src/store/a.ts", 'import { x } from "#store/x.ts";', 1 + 0],
    ["src/nowhere/a.ts", "", 1],
  ] as const) {
    assert.equal(checkDirection(file(path, text), layers).length, count, `${path}: ${text}`);
  }
});

test("names, headers and banned words", () => {
  assert.equal(checkName(file("src/base/utils.ts", "")).length, 1);
  assert.equal(checkName(file("src/base/CamelCase.ts", "")).length, 1);
  assert.equal(checkName(file("src/base/ip.root.test.ts", "")).length, 0);
  assert.equal(checkHeader(file("src/base/x.ts", "import a")).length, 1);
  assert.equal(checkHeader(file("src/base/x.ts", "// What.\nimport a")).length, 0);
  assert.equal(checkBans(file("src/kubelet/x.ts", "const a = process.env.HOME;")).length, 1);
  assert.equal(checkBans(file("src/cli/x.ts", "const a = process.env.HOME;")).length, 0);
  assert.equal(checkBans(file("src/scheduler/plan/x.ts", "const a = Date.now();")).length, 1);
  assert.equal(checkBans(file("src/scheduler/plan/x.ts", "// Date.now() is not used\n")).length, 0);
  assert.equal(checkBans(file("src/base/x.ts", "try { a() } catch {}")).length, 1);
});

test("exports that nobody uses", () => {
  const findings = checkUnusedExports([
    file("src/base/a.ts", "export const used = 1;\nexport const unused = 2;\nexport const inner = 3; inner;"),
    file("src/base/b.ts", 'import { used } from "./a.ts";'),
  ]);
  assert.deepEqual(
    findings.map((f) => f.message),
    ["unused is used nowhere: delete it"],
  );
});
