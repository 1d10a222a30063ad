import assert from "node:assert/strict";
import { test } from "node:test";
import { connectOptions } from "./connect-admission.ts";

const rows: readonly (readonly [subresource: string, query: string, rest: string, expected: object])[] = [
  [
    "exec",
    "command=sh&command=-c&stdin=true&tty=1&stderr=false&container=c",
    "",
    { stdin: true, tty: true, container: "c", command: ["sh", "-c"] },
  ],
  ["attach", "stdout=true&stderr=true", "", { stdout: true, stderr: true }],
  ["portforward", "", "", {}],
  ["portforward", "ports=80,443&ports=8080", "", { ports: [80, 443, 8080] }],
  ["proxy", "a=b", "", { path: "/" }],
  ["proxy", "", "/metrics/x", { path: "/metrics/x" }],
];

for (const [subresource, query, rest, expected] of rows)
  test(`options of a connection: ${subresource} ${query || "without any"}${rest}`, () => {
    assert.deepEqual(connectOptions(subresource, new URLSearchParams(query), rest), expected);
  });
