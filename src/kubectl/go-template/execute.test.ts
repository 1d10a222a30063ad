import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate, TemplateError } from "./execute.ts";

const data = {
  kind: "List",
  n: 3,
  ok: true,
  none: null,
  items: [{ name: "a" }, { name: "b" }],
  map: { y: 2, x: 1 },
};

const rows: [string, string][] = [
  ["{{.kind}} {{.nope}} {{.none}} {{.nope.deeper}}", "List <no value> <no value> <no value>"],
  ["{{range .items}}{{.name}},{{end}}", "a,b,"],
  ["{{range $i, $e := .items}}{{$i}}{{$e.name}}{{end}}{{range .nope}}x{{else}}-{{end}}", "0a1b-"],
  ["{{range $k, $v := .map}}{{$k}}{{$v}} {{end}}", "x1 y2 "],
  ["{{if and .ok (eq .n 3)}}yes{{else}}no{{end}}", "yes"],
  ["{{if not .ok}}1{{else if .none}}2{{else}}3{{end}}", "3"],
  ["{{with .map}}{{.x}}{{$.n}}{{end}}", "13"],
  ['{{(index .items 1).name}} {{index .map "y"}} {{len .items}}', "b 2 2"],
  ['{{.kind | printf "%s-%03d|%-4s|" "x" 7}}', "x-007|List|"],
  ["a {{- /* none */ -}} b {{- .n}} c", "ab3 c"],
  ["{{$x := 1}}{{range .items}}{{$x = .name}}{{end}}{{$x}}", "b"],
  ['{{define "t"}}<{{.}}>{{end}}{{template "t" .n}}', "<3>"],
  ['{{range .items}}{{if eq .name "b"}}{{break}}{{end}}{{.name}}{{end}}', "a"],
  ["{{.__proto__}}{{.constructor}}", "<no value><no value>"],
];
for (const [text, want] of rows) test(text, () => assert.equal(compileTemplate(text).execute(data), want));

const refused: [string, string][] = [
  ["{{.kind", "template: output:1: unclosed action"],
  ["{{if .kind}}x", "template: output:1: unexpected EOF"],
  ["{{end}}", "template: output:1: unexpected {{end}}"],
  ["{{nope .kind}}", 'template: output:1: function "nope" not defined'],
  [
    "\n {{.kind.x}}",
    'template: output:2:8: executing "output" at <.kind.x>: can\'t evaluate field x in type interface {}',
  ],
  [
    "{{index .items 9}}",
    'template: output:1:2: executing "output" at <index .items 9>: error calling index: index out of range: 9',
  ],
  ['{{define "t"}}{{template "t"}}{{end}}{{template "t"}}', "exceeded maximum template depth (1000)"],
];
for (const [text, want] of refused)
  test(`${JSON.stringify(text)} is refused`, () =>
    assert.throws(() => compileTemplate(text).execute(data), new TemplateError(want)));
