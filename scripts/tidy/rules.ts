// The rules of this repository that no off-the-shelf linter knows, as functions of a file's text.
// Each message says what to do instead, and why. Exemptions live in `exempt`, each with its reason.

export interface SourceFile {
  /** Relative to the repository: `src/base/clock.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Folder → layer number, as the table in ARCHITECTURE.md says. */
export type Layers = ReadonlyMap<string, number>;

/** Reads the layer table: lines such as `L1  machinery   what it is`, folders before the first wide gap. */
export function parseLayers(architecture: string): Layers {
  const layers = new Map<string, number>();
  for (const match of architecture.matchAll(/^L(\d)  (\S+(?: \S+)*)/gm)) {
    for (const folder of (match[2] as string).split(/[\s│]+/)) layers.set(folder, Number(match[1]));
  }
  if (layers.size === 0)
    throw new Error("ARCHITECTURE.md has no layer table (lines that start with L0 … L9)");
  return layers;
}

const exempt: Readonly<Record<string, readonly string[]>> = {};

interface Import {
  readonly specifier: string;
  readonly line: number;
}

export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g,
  )) {
    found.push({
      specifier: (match[1] ?? match[2]) as string,
      line: lineAt(text, match.index + match[0].length),
    });
  }
  return found;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

const folderOf = (path: string): string => path.split("/")[1] ?? "";
const isTest = (path: string): boolean => path.endsWith(".test.ts");

/** Arrows only point down: a folder imports folders of lower layers, through `#folder/file.ts`. */
export function checkDirection({ path, text }: SourceFile, layers: Layers): Finding[] {
  if (!path.startsWith("src/")) return [];
  const from = folderOf(path);
  const level = layers.get(from);
  if (level === undefined) {
    return [
      {
        path,
        line: 1,
        message: `the folder src/${from} is not in the layer table of ARCHITECTURE.md: add it there first`,
      },
    ];
  }
  const findings: Finding[] = [];
  for (const { specifier, line } of importsOf(text)) {
    if (specifier.startsWith(".")) {
      const depth = path.split("/").length - 3;
      const ups = specifier.match(/\.\.\//g)?.length ?? 0;
      if (ups > depth)
        findings.push({
          path,
          line,
          message: `${specifier} leaves the folder: import other folders as #folder/file.ts`,
        });
      continue;
    }
    if (!specifier.startsWith("#")) continue;
    const to = specifier.slice(1).split("/")[0] as string;
    if (to === from)
      findings.push({ path, line, message: `${specifier} is in this folder: import it relatively` });
    const target = layers.get(to);
    if (target === undefined)
      findings.push({ path, line, message: `${specifier}: no such folder in the layer table` });
    else if (to !== from && target >= level) {
      findings.push({
        path,
        line,
        message: `src/${from} (L${level}) must not import src/${to} (L${target}): arrows point down. Move what both need below both`,
      });
    }
  }
  return findings;
}

const bannedNames = new Set(["utils", "util", "helpers", "helper", "common", "types", "misc", "shared"]);

export function checkName({ path }: SourceFile): Finding[] {
  const name = (path.split("/").at(-1) as string).replace(/(\.root)?(\.test)?\.tsx?$/, "");
  const findings: Finding[] = [];
  if (bannedNames.has(name))
    findings.push({
      path,
      line: 1,
      message: `${name}.ts says nothing about its content: name it after the idea it holds`,
    });
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    findings.push({ path, line: 1, message: "file names are kebab-case" });
  return findings;
}

/** Every source file opens with what it decides. */
export function checkHeader({ path, text }: SourceFile): Finding[] {
  if (isTest(path) || !path.startsWith("src/") || /^(#!.*\n)?\/[/*]/.test(text)) return [];
  return [{ path, line: 1, message: "open the file with a comment that says what it decides" }];
}

interface Ban {
  readonly pattern: RegExp;
  readonly applies: (path: string) => boolean;
  readonly message: string;
}

const isPure = (path: string): boolean =>
  !isTest(path) && (/^src\/(machinery|resources)\//.test(path) || /^src\/[^/]+\/(plan|mvcc)\//.test(path));

const bans: readonly Ban[] = [
  {
    pattern: /\bprocess\.env\b/,
    applies: (path) => path.startsWith("src/") && !path.startsWith("src/cli/") && !isTest(path),
    message: "only src/cli reads the environment: pass the value in as an option",
  },
  {
    pattern:
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(?:Timeout|Interval|Immediate)\(|\basync\b|\bawait\b|from "node:(?!assert|buffer|zlib|net"|util"|crypto")/,
    applies: isPure,
    message: "pure folders take time and randomness as parameters and do no I/O",
  },
  {
    pattern: /from "node:(?:http|https|http2|tls)"/,
    applies: (path) =>
      path.startsWith("src/apiserver/") &&
      !path.startsWith("src/apiserver/http/") &&
      !path.startsWith("src/apiserver/subresources/") &&
      !isTest(path),
    message: "the API server's sockets live in src/apiserver/http (and the proxying subresources) only",
  },
  {
    pattern: /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}/,
    applies: () => true,
    message: "an empty catch hides failures: handle it, or say why it does not matter",
  },
  {
    pattern: /\b(?:TODO|FIXME|XXX)\b/,
    applies: (path) => !path.startsWith("scripts/tidy/"),
    message: "finish it, or let it answer with a clear error",
  },
];

function stripStringsAndComments(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""').replace(/\/\/.*$/, "");
}

export function checkBans({ path, text }: SourceFile): Finding[] {
  const active = bans.filter((ban) => ban.applies(path) && !(exempt[ban.message] ?? []).includes(path));
  if (active.length === 0) return [];
  const findings: Finding[] = [];
  let inBlockComment = false;
  text.split("\n").forEach((line, at) => {
    const opens = /\/\*/.test(line) && !/\*\//.test(line);
    const isComment = inBlockComment || /^\s*(\/\/|\*|\/\*)/.test(line);
    if (opens) inBlockComment = true;
    if (/\*\//.test(line)) inBlockComment = false;
    for (const { pattern, message } of active) {
      const todo = pattern.source.includes("TODO");
      const code = todo
        ? line
        : isComment || line.startsWith("import type ")
          ? ""
          : pattern.source.includes('from "')
            ? line.replace(/\/\/.*$/, "")
            : stripStringsAndComments(line);
      if (pattern.test(code)) findings.push({ path, line: at + 1, message });
    }
  });
  return findings;
}

/** Exports of src that no file mentions again: dead code, or a missing test. The package's index is exempt. */
export function checkUnusedExports(files: readonly SourceFile[]): Finding[] {
  const words = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    for (const [word] of text.matchAll(/[A-Za-z_$][\w$]*/g)) {
      const users = words.get(word);
      if (users === undefined) words.set(word, new Set([path]));
      else users.add(path);
    }
  }
  const findings: Finding[] = [];
  for (const { path, text } of files) {
    if (!path.startsWith("src/") || path.includes("/gen/") || path === "src/compose/index.ts" || isTest(path))
      continue;
    for (const match of text.matchAll(
      /^export (?:async )?(?:function\*?|const|class|interface|type|let) ([A-Za-z_$][\w$]*)/gm,
    )) {
      const name = match[1] as string;
      const elsewhere = [...(words.get(name) ?? [])].some((user) => user !== path);
      const uses =
        text.match(new RegExp(`(?<![\\w$])${name.replace(/\$/g, "\\$")}(?![\\w$])`, "g"))?.length ?? 0;
      if (!elsewhere && uses <= 1)
        findings.push({
          path,
          line: lineAt(text, match.index),
          message: `${name} is used nowhere: delete it`,
        });
    }
  }
  return findings;
}
