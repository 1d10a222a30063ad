import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsMatch, parseFieldSelector } from "./field-selectors.ts";
import {
  checkConfigKey,
  checkDnsLabel,
  checkDnsSubdomain,
  checkPortName,
  checkQualifiedName,
  nameCheck,
} from "./names.ts";
import { formatSelector, matches, parseSelector, selectorFromObject } from "./selectors.ts";

test("label selectors match", () => {
  const labels = { app: "web", tier: "front", n: "5" };
  const rows: [string, boolean][] = [
    ["", true],
    ["app=web", true],
    ["app==web", true],
    ["app!=web", false],
    ["app in (web, api)", true],
    ["app notin (web)", false],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["missing!=x", true],
    ["missing notin (x)", true],
    ["n>4", true],
    ["n<4", false],
    ["app=web,tier=front", true],
    ["app=web,tier=back", false],
    ["app in (web),tier notin (back),!x", true],
    [" app = web , tier ", true],
    ["missing=", false],
    ["app in ()", false],
  ];
  for (const [text, expected] of rows) assert.equal(matches(parseSelector(text), labels), expected, text);
  for (const bad of [
    "app=web,",
    "=web",
    "app in web",
    "app in (web",
    "a b",
    "app=we b",
    "-x=y",
    "a/b/c=d",
    "n>x",
    "a==,=",
    ",a",
  ])
    assert.throws(
      () => parseSelector(bad),
      /unable to parse requirement|^Error: found '.*', expected: /,
      bad,
    );
  assert.equal(formatSelector(parseSelector("b!=2,a in (z,y),c,!d")), "a in (y,z),b!=2,c,!d");
  assert.equal(selectorFromObject(undefined), undefined);
  assert.equal(
    matches(
      selectorFromObject({
        matchLabels: { app: "web" },
        matchExpressions: [{ key: "tier", operator: "In", values: ["front"] }],
      }) ?? [],
      labels,
    ),
    true,
  );
});

test("field selectors", () => {
  assert.deepEqual(parseFieldSelector("a.b=x,c!=y,d==a\\,b"), [
    { field: "a.b", equal: true, value: "x" },
    { field: "c", equal: false, value: "y" },
    { field: "d", equal: true, value: "a,b" },
  ]);
  assert.throws(() => parseFieldSelector("nonsense"), /can't understand 'nonsense'/);
  assert.equal(
    fieldsMatch(parseFieldSelector("a=1,b!=2"), (field) => ({ a: "1", b: "3" })[field] ?? ""),
    true,
  );
});

test("names", () => {
  assert.deepEqual(checkDnsLabel("my-name"), []);
  assert.deepEqual(checkDnsSubdomain("Bad_Name"), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  assert.equal(checkDnsLabel("a".repeat(64))[0], "must be no more than 63 bytes");
  assert.deepEqual(checkQualifiedName("example.com/My_Name"), []);
  assert.equal(checkQualifiedName("/x")[0], "prefix part must be non-empty");
  assert.deepEqual(checkPortName("http-server"), []);
  assert.deepEqual(checkPortName("1234"), ["must contain at least one letter (a-z)"]);
  assert.deepEqual(checkConfigKey("a/b").length, 1);
  assert.deepEqual(nameCheck(checkDnsLabel)("web-", true), []);
});
