// The documents tell the truth about the repository: links, paths, commands, dependencies, the two READMEs.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { allNames, commands } from "#kubectl/commands/index.ts";
import { builtinResources, measuredResources } from "#resources/index.ts";
import { importsOf } from "../scripts/tidy/rules.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const tracked = (pattern: string): string[] =>
  execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", pattern], {
    cwd: root,
    encoding: "utf8",
  })
    .split("\n")
    .filter((path) => path !== "" && existsSync(join(root, path)));

const documents = tracked("*.md");
interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read("package.json")) as Manifest;

/** What GitHub makes of a heading: the part of a link after `#`. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

interface Heading {
  readonly level: number;
  readonly text: string;
}

/** Headings and code blocks of a document, in order. */
function parts(text: string): {
  headings: Heading[];
  blocks: { language: string; code: string }[];
  prose: string;
} {
  const headings: Heading[] = [];
  const blocks: { language: string; code: string }[] = [];
  const prose: string[] = [];
  let open: { language: string; lines: string[] } | undefined;
  for (const line of text.split("\n")) {
    const fence = /^\s*```(\S*)\s*$/.exec(line);
    if (fence !== null && open === undefined) open = { language: fence[1] as string, lines: [] };
    else if (fence !== null && open !== undefined) {
      blocks.push({ language: open.language, code: open.lines.join("\n") });
      open = undefined;
    } else if (open !== undefined) open.lines.push(line);
    else {
      prose.push(line);
      const heading = /^(#+) (.*)$/.exec(line);
      if (heading !== null)
        headings.push({ level: (heading[1] as string).length, text: heading[2] as string });
    }
  }
  return { headings, blocks, prose: prose.join("\n") };
}

for (const document of documents) {
  test(`${document}: relative links lead somewhere`, () => {
    const missing: string[] = [];
    for (const [, target = ""] of parts(read(document)).prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#", 2);
      const file = path === "" ? document : normalize(join(dirname(document), path));
      if (!existsSync(join(root, file))) missing.push(target);
      else if (anchor !== undefined) {
        const anchors = parts(read(file)).headings.map((heading) => anchorOf(heading.text));
        if (!anchors.includes(anchor)) missing.push(target);
      }
    }
    assert.deepEqual(missing, []);
  });

  test(`${document}: files that it names exist`, () => {
    const folders = ["src", "test", "scripts", "examples", "cluster", "bin", "bench", "docs"].join("|");
    const path = new RegExp(`(?<![\\w./-])(?:\\.\\./)*(?:${folders})/[\\w./-]*[\\w/]`, "g");
    // Built images and bundles are made when they are needed.
    const made = /^(?:src\/)?(?:dist|\.cache)\//;
    const missing = [...read(document).matchAll(path)]
      .map(([found]) => found.replace(/^(?:\.\.\/)+/, "").replace(/\/$/, ""))
      .filter((found) => !/\b(?:NAME|KIND|GROUP)\b/.test(found) && !made.test(found))
      .filter((found) => !existsSync(join(root, found)) && !existsSync(join(root, dirname(document), found)));
    assert.deepEqual(missing, []);
  });

  test(`${document}: npm scripts that it names exist`, () => {
    const named = [...read(document).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name as string);
    assert.deepEqual(
      named.filter((name) => manifest.scripts[name] === undefined),
      [],
    );
  });
}

test("README.pt-BR.md has the headings and the commands of README.md", () => {
  const english = parts(read("README.md"));
  const portuguese = parts(read("README.pt-BR.md"));
  assert.deepEqual(
    portuguese.headings.map(({ level }) => level),
    english.headings.map(({ level }) => level),
  );
  const withoutComments = (code: string): string => code.replace(/ *(?:#|\/\/) .*$/gm, "").trimEnd();
  const code = (of: typeof english): string[] =>
    of.blocks.map(({ language, code }) => `${language}\n${withoutComments(code)}`);
  assert.deepEqual(code(portuguese), code(english));
});

for (const document of ["README.md", "README.pt-BR.md"]) {
  const listed = (pattern: RegExp): string => {
    const paragraph = parts(read(document))
      .prose.replace(/\n {2,}/g, " ")
      .split("\n")
      .find((line) => pattern.test(line));
    assert.ok(paragraph !== undefined, `${document} has no line that starts like ${String(pattern)}`);
    return paragraph;
  };
  test(`${document} names the kinds that are served`, () => {
    const names = new Set(listed(/^- \*\*(?:Kinds|Tipos)\*\*/).match(/\b[A-Z][A-Za-z]+\b/g));
    const served = [...builtinResources, ...measuredResources].map(({ kind }) => kind);
    assert.deepEqual(
      served.filter((kind) => !names.has(kind)),
      [],
      "served, but not named: add it to the list",
    );
    const known = [...names].filter((name) => name !== "Kinds" && name !== "Tipos");
    assert.deepEqual(
      known.filter((kind) => !served.includes(kind)),
      [],
      "named, but not served",
    );
  });

  test(`${document} names only commands of kubectl that are built`, () => {
    const names = [...listed(/^- \*\*kubectl\*\*/).matchAll(/`([a-z-]+)`/g)].map(
      ([, name]) => name as string,
    );
    assert.ok(names.length > 0);
    const built = commands.filter(({ load }) => load !== undefined).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => allNames.includes(name) && !built.includes(name)),
      [],
    );
  });
}

/** Rows of the ledger: the name in the first column, the folders in the third. */
function ledger(): { section: string; name: string; importedBy: string[] }[] {
  return read("docs/dependencies.md")
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const title = section.slice(0, section.indexOf("\n"));
      if (title.startsWith("Debian")) return [];
      return [...section.matchAll(/^\| `([^`]+)` \|([^|]*)\|([^|]*)\|/gm)].map((row) => ({
        section: title,
        name: row[1] as string,
        importedBy: [...(row[3] as string).matchAll(/`([^`]+)`/g)].map(([, place]) => place as string),
      }));
    });
}

test("every dependency has its line in docs/dependencies.md, and no other has", () => {
  const declared = {
    "At run time": manifest.dependencies,
    "Node itself": manifest.optionalDependencies,
    "For development": manifest.devDependencies,
  };
  for (const [section, packages] of Object.entries(declared)) {
    const lines = ledger().filter((line) => line.section === section);
    assert.deepEqual(lines.map(({ name }) => name).sort(), Object.keys(packages).sort(), section);
  }
});

test("docs/dependencies.md says which folders import a run-time dependency", () => {
  const importers = new Map<string, Set<string>>();
  for (const path of tracked("src/*.ts").filter((path) => !path.endsWith(".test.ts")))
    for (const { specifier } of importsOf(read(path))) {
      const name = specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/");
      const folders = importers.get(name) ?? new Set<string>();
      importers.set(name, folders.add(path.split("/").slice(0, 2).join("/")));
    }
  for (const { name, importedBy } of ledger().filter(({ section }) => section === "At run time"))
    assert.deepEqual([...importedBy].sort(), [...(importers.get(name) ?? [])].sort(), name);
});

test("package.json publishes only files that are there or are built", () => {
  assert.deepEqual(
    manifest.files.filter(
      (file) => file !== "dist" && !file.startsWith("!") && !existsSync(join(root, file)),
    ),
    [],
  );
});

test("docs/conformance.md names tests that are there, and counts its rows", () => {
  const page = read("docs/conformance.md");
  const states = [...page.matchAll(/^\| .* \| (done|partly|not yet)(?:: [^|]*)? \| (.*) \|$/gm)];
  const told = /^Of (\d+) rows (\d+) are done, (\d+) partly, (\d+) not yet\.$/m
    .exec(page)
    ?.slice(1)
    .map(Number);
  const count = (state: string): number => states.filter(([, found]) => found === state).length;
  assert.deepEqual(told, [states.length, count("done"), count("partly"), count("not yet")]);
  const kinds = new Set(
    builtinResources.map(({ kind, group, version }) => `${kind}.${group ? `${group}/` : ""}${version}`),
  );
  for (const [row, state, shown = ""] of states) {
    const tests = [...shown.matchAll(/`([^`]+)` “([^”]+)”/g)];
    assert.equal(tests.length > 0, state !== "not yet", row);
    for (const [, file = "", title = ""] of tests) {
      const kind = /^(\S+): everything that can be done with an object$/.exec(title)?.[1];
      if (kind !== undefined) assert.ok(kinds.has(kind), `${kind} is not served`);
      else assert.ok(read(file).includes(title.replace(/…$/, "")), `${file} has no “${title}”`);
    }
  }
});
