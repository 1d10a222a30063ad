import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "../command.ts";
import { readArguments, type Named } from "./arguments.ts";

const read: [string, Named][] = [
  ["", { kind: "nothing" }],
  ["pods", { kind: "types", types: ["pods"] }],
  ["pods,svc", { kind: "types", types: ["pods", "svc"] }],
  ["pod a b", { kind: "names", types: ["pod"], names: ["a", "b"] }],
  ["pod,svc a", { kind: "names", types: ["pod", "svc"], names: ["a"] }],
  [
    "pod/a svc/b",
    {
      kind: "pairs",
      pairs: [
        { type: "pod", name: "a" },
        { type: "svc", name: "b" },
      ],
    },
  ],
];
for (const [line, want] of read)
  test(line, () => assert.deepEqual(readArguments(line.split(" ").filter((word) => word !== "")), want));

const single = "arguments in resource/name form must have a single resource and name";
const refused: [string[], string][] = [
  [["pod/a/b"], "arguments in resource/name form may not have more than one slash"],
  [["pod/"], single],
  [["/a"], single],
  [["pod,svc/a"], single],
  [["pods,", "a"], single],
  [["pods", ""], "resource name may not be empty"],
];
for (const [args, want] of refused)
  test(`${args.join(" ")} is refused`, () =>
    assert.throws(() => readArguments(args), new CommandError(want)));
