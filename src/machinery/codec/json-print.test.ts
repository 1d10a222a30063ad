import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { printJson } from "./json-print.ts";

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, "testdata", "yaml", name), "utf8");

for (const name of ["values", "shapes"]) {
  test(`${name} print as kubectl prints them`, () => {
    assert.equal(printJson(JSON.parse(golden(`${name}.json`))), golden(`${name}.out.json`));
  });
}
