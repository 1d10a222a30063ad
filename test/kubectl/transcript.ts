// A transcript: command lines with what each printed and how it ended. Commands of one file run in order on one
// cluster. What differs from run to run (uids, versions, times, the server's address) is replaced by words.

export interface Step {
  /** As it stands after `$ kubectl `; may end with ` < FILE`. */
  readonly line: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const prompt = "$ kubectl ";

export function parseTranscript(text: string): Step[] {
  const steps: { line: string; stdout: string[]; stderr: string[]; code: number }[] = [];
  for (const row of text.split("\n")) {
    const step = steps.at(-1);
    if (row.startsWith(prompt))
      steps.push({ line: row.slice(prompt.length), stdout: [], stderr: [], code: 0 });
    else if (step === undefined || row === "") continue;
    else if (row.startsWith("1| ")) step.stdout.push(row.slice(3));
    else if (row.startsWith("2| ")) step.stderr.push(row.slice(3));
    else if (row.startsWith("exit ")) step.code = Number(row.slice(5));
  }
  return steps.map((step) => ({ ...step, stdout: step.stdout.join("\n"), stderr: step.stderr.join("\n") }));
}

const marked = (mark: string, text: string): string =>
  text === ""
    ? ""
    : `${text
        .split("\n")
        .map((row) => `${mark}| ${row}`)
        .join("\n")}\n`;

export function formatTranscript(header: string, steps: readonly Step[]): string {
  const blocks = steps.map(
    ({ line, stdout, stderr, code }) =>
      `${prompt}${line}\n${marked("1", stdout)}${marked("2", stderr)}${code === 0 ? "" : `exit ${code}\n`}`,
  );
  return `${header}\n\n${blocks.join("\n")}`;
}

/** The comment lines at the top of a transcript. */
export const headerOf = (text: string): string =>
  text
    .split("\n")
    .filter((row) => row.startsWith("#"))
    .join("\n");

const replacements: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UID"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME"],
  [/("?resourceVersion"?: ?)"\d+"/g, '$1"VERSION"'],
  [/(Expected resource version to be \d+, was )\d+/g, "$1VERSION"],
  [/(resource version to be \d+, was )\d+/g, "$1VERSION"],
  [/https:\/\/127\.0\.0\.1:\d+/g, "https://SERVER"],
  [/127\.0\.0\.1:\d+/g, "SERVER"],
  [/\bv1\.36\.\d+[-+.\w]*/g, "v1.36.X"],
  // What an object holds beside what a case asks for is the server's matter.
  [/((?:object given to \w+ engine|raw data) was:\n\t\t)[^]*?(?=\n\tobject given|\n\n)/g, "$1OBJECT"],
  [/^[WIE]\d{4} [\d:.]+ +\d+ /gm, "LOG "],
];

const normalize = (text: string): string =>
  replacements.reduce((out, [pattern, word]) => out.replace(pattern, word), text);

/** Words as a shell makes them (quotes, no expansions), and the file that stdin comes from. */
export function splitLine(line: string): { readonly args: string[]; readonly stdin?: string } {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g))
    words.push(
      word.replace(
        /'([^']*)'|"((?:\\.|[^"\\])*)"/g,
        (_, single?: string, double?: string) => single ?? (double ?? "").replace(/\\(["\\$])/g, "$1"),
      ),
    );
  const at = words.indexOf("<");
  return at < 0 ? { args: words } : { args: words.slice(0, at), stdin: words[at + 1] as string };
}

/** Runs the commands again, in order. */
export async function replay(
  steps: readonly Step[],
  run: (line: string) => Promise<Result>,
): Promise<Step[]> {
  const replayed: Step[] = [];
  for (const { line } of steps) {
    const { stdout, stderr, code } = await run(line);
    const text = (written: string): string => normalize(written).replace(/\n$/, "");
    replayed.push({ line, stdout: text(stdout), stderr: text(stderr), code });
  }
  return replayed;
}
