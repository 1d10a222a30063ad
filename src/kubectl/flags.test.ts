import assert from "node:assert/strict";
import { test } from "node:test";
import { findCommandName, FlagError, HelpWanted, parseFlags, type FlagSpec } from "./flags.ts";

const specs: FlagSpec[] = [
  { name: "namespace", shorthand: "n", type: "string", default: "''", usage: "" },
  { name: "all", shorthand: "A", type: "bool", default: "false", usage: "" },
  { name: "watch", shorthand: "w", type: "bool", default: "false", usage: "" },
  { name: "label-columns", shorthand: "L", type: "list", default: "[]", usage: "" },
  { name: "from-literal", type: "array", default: "[]", usage: "" },
  { name: "dry-run", type: "string", default: "'none'", alone: "unchanged", usage: "" },
  { name: "replicas", type: "int", default: "0", usage: "" },
  { name: "timeout", type: "duration", default: "0s", usage: "" },
];

const read: [string[], Record<string, unknown>, string[]][] = [
  [["a", "-n", "x", "b"], { namespace: "x" }, ["a", "b"]],
  [["-nx", "--all"], { namespace: "x", all: true }, []],
  [["-Awn=x"], { all: true, watch: true, namespace: "x" }, []],
  [["--all=false"], { all: false }, []],
  [["--dry-run", "client"], { "dry-run": "unchanged" }, ["client"]],
  [["--dry-run=client"], { "dry-run": "client" }, []],
  [["-L", "a,b", "-L", 'c,"d,e"'], { "label-columns": ["a", "b", "c", "d,e"] }, []],
  [["--from-literal=a,b", "--from-literal", "c"], { "from-literal": ["a,b", "c"] }, []],
  [["--label_columns=x"], { "label-columns": ["x"] }, []],
  [["--replicas", "-3", "-"], { replicas: -3 }, ["-"]],
  [["--timeout=1m30s"], { timeout: 90_000 }, []],
  [["a", "--", "-n", "x"], { namespace: "" }, ["a", "-n", "x"]],
];
for (const [argv, want, args] of read) {
  test(argv.join(" "), () => {
    const parsed = parseFlags(specs, argv);
    assert.deepEqual(parsed.args, args);
    for (const [name, value] of Object.entries(want)) {
      const spec = specs.find((one) => one.name === name);
      const { flags } = parsed;
      const found =
        spec?.type === "bool"
          ? flags.bool(name)
          : spec?.type === "int"
            ? flags.int(name)
            : spec?.type === "duration"
              ? flags.durationMs(name)
              : Array.isArray(value)
                ? flags.list(name)
                : flags.string(name);
      assert.deepEqual(found, value);
    }
  });
}

const refused: [string[], string][] = [
  [["--nope"], "unknown flag: --nope"],
  [["-z"], "unknown shorthand flag: 'z' in -z"],
  [["-Az"], "unknown shorthand flag: 'z' in -z"],
  [["--namespace"], "flag needs an argument: --namespace"],
  [["-An"], "flag needs an argument: 'n' in -n"],
  [["---x"], "bad flag syntax: ---x"],
  [
    ["--replicas=x"],
    'invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    ["-w=maybe"],
    'invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [["--timeout=5"], 'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'],
];
for (const [argv, want] of refused)
  test(`${argv.join(" ")} is refused`, () =>
    assert.throws(() => parseFlags(specs, argv), new FlagError(want)));

test("help is asked for, unless it is an argument", () => {
  for (const argv of [["-h"], ["a", "--help"]]) assert.throws(() => parseFlags(specs, argv), HelpWanted);
  assert.deepEqual(parseFlags(specs, ["--", "-h"]).args, ["-h"]);
});

test("the command is the first word that belongs to no flag", () => {
  const rows: [string[], number][] = [
    [["get", "pods"], 0],
    [["-n", "x", "get"], 2],
    [["--namespace=x", "-A", "get"], 2],
    [["--unknown", "get"], 1],
    [["-n"], -1],
    [["--", "get"], -1],
  ];
  for (const [argv, at] of rows) assert.equal(findCommandName(specs, argv), at, argv.join(" "));
});

test("how many arguments stand before --", () => {
  assert.equal(parseFlags(specs, ["pod", "-n", "x", "--", "ls", "-A"]).argsLengthAtDash, 1);
  assert.equal(parseFlags(specs, ["pod"]).argsLengthAtDash, -1);
});
