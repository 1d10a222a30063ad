import assert from "node:assert/strict";
import { test } from "node:test";
import { compileJsonPath, JsonPathError, printResults, relaxedPath } from "./jsonpath.ts";

const pod = {
  kind: "Pod",
  metadata: { name: "web", labels: { app: "web", "example.com/zone": "a", "a.b": "dots" } },
  spec: {
    replicas: 3,
    ratio: 0.5,
    ready: true,
    containers: [
      { name: "main", image: "nginx:1", ports: [{ port: 80 }, { port: 443 }] },
      { name: "side", image: "busybox", env: null },
    ],
  },
};

const found: [string, string][] = [
  ["{.kind}", "Pod"],
  ["{kind}", "!unrecognized identifier kind"],
  ["{$.kind}/{@.kind}", "Pod/Pod"],
  ["{.metadata.labels}", '{"a.b":"dots","app":"web","example.com/zone":"a"}'],
  ["{.metadata.labels.example\\.com/zone}", "a"],
  ["{.metadata.labels['example\\.com/zone']}", "a"],
  ["{.metadata.labels.a\\.b}", "dots"],
  ["{.metadata['name','labels']}", 'web {"a.b":"dots","app":"web","example.com/zone":"a"}'],
  ["{.spec.containers[*].name}", "main side"],
  ["{.spec.containers[-1].name}", "side"],
  ["{.spec.containers[0,1].image}", "nginx:1 busybox"],
  ["{.spec.containers[0:2].name}", "main side"],
  ["{.spec.containers[0:2:2].name}", "main"],
  ["{.spec.containers[2].name}", "!array index out of bounds: index 2, length 2"],
  ["{.spec[0]}", "!map[string]interface {} is not array or slice"],
  ['{.spec.containers[?(@.name=="side")].image}', "busybox"],
  ["{.spec.containers[?(@.name!='side')].image}", "nginx:1"],
  ["{.spec.containers[?(@.ports)].name}", "main"],
  ["{.spec.containers[0].ports[?(@.port>80)].port}", "443"],
  ["{.spec.containers[0].ports[?(@.port>='x')].port}", "!incompatible types for comparison"],
  ["{.spec.containers[1].env}", "<nil>"],
  ["{..port}", "80 443"],
  ["{.spec.replicas} {.spec.ratio} {.spec.ready}", "3 0.5 true"],
  ["{range .spec.containers[*]}{.name}={.image}{','}{end}.", "main=nginx:1,side=busybox,."],
  ["{range .spec.containers[*]}{.name}:{range .ports[*]}{.port};{end}{'\\n'}{end}", "main:80;443;\nside:\n"],
  ["{range .nope[*]}{.x}{end}none", "none"],
  ["{.nope.deeper[3]}", ""],
  ["{'a\\tb'}{\"\\u20ac\"}{1}{-2.5}{true}", "a\tb€1-2.5true"],
  ["{end}", "!not in range, nothing to end"],
  ["{", "!unclosed action"],
  ["{.a[}", "!unterminated array"],
  ["{.a[x]}", "!invalid array index x"],
  ["{.a[?(@.x=~1)]}", "!unrecognized character in action: U+007E '~'"],
  ["{#}", "!unrecognized character in action: U+0023 '#'"],
  ['{"x}', "!unterminated quoted string"],
  ["{.__proto__}{.constructor.name}", ""],
];

for (const [template, want] of found) {
  test(`${template} → ${want}`, () => {
    if (want.startsWith("!"))
      assert.throws(() => compileJsonPath(template).find(pod), new JsonPathError(want.slice(1)));
    else assert.equal(printResults(compileJsonPath(template).find(pod)), want);
  });
}

test("a missing field is an error where that is asked for", () => {
  const path = compileJsonPath("{.nope}", { allowMissing: false });
  assert.throws(() => path.find(pod), new JsonPathError("nope is not found"));
});

test("a path alone may be written four ways", () => {
  for (const text of ["x.y", ".x.y", "{x.y}", "{.x.y}"]) assert.equal(relaxedPath(text), "{.x.y}");
  assert.throws(() => relaxedPath("{.x"), JsonPathError);
});
