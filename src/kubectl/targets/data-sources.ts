// --from-literal, --from-file and --from-env-file: where the keys and values of a ConfigMap or Secret come from.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { checkConfigKey } from "#machinery/names.ts";
import { CommandError, type Context } from "../command.ts";
import type { FlagSpec } from "../flags.ts";

export const dataFlags: readonly FlagSpec[] = [
  {
    name: "append-hash",
    type: "bool",
    default: "false",
    usage: "Append a hash of the content to the name; not built yet, and refused.",
  },
  {
    name: "from-env-file",
    type: "list",
    default: "[]",
    usage: "File with lines of KEY=value, each of them a key and its value",
  },
  {
    name: "from-file",
    type: "list",
    default: "[]",
    usage:
      "File, as path or key=path, whose name (or the key) and content to take; or a folder of such files",
  },
  { name: "from-literal", type: "array", default: "[]", usage: "A key and its value: key=value" },
];

export type Data = Map<string, Buffer>;

function add(data: Data, key: string, value: Buffer): void {
  const [problem] = checkConfigKey(key);
  if (problem !== undefined)
    throw new CommandError(`${JSON.stringify(key)} is not valid key name: ${problem}`);
  if (data.has(key))
    throw new CommandError(`cannot add key ${JSON.stringify(key)}, another key by that name already exists`);
  data.set(key, value);
}

function fromLiteral(data: Data, source: string): void {
  const at = source.indexOf("=");
  if (at < 1) throw new CommandError(`invalid literal source ${source}, expected key=value`);
  const value = source.slice(at + 1);
  const unquoted = /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
  add(data, source.slice(0, at), Buffer.from(unquoted));
}

function fromFile(data: Data, source: string, cwd: string): void {
  const parts = source.split("=");
  if (parts.length > 2) throw new CommandError("key names or file paths cannot contain '='");
  const [first = "", second] = parts;
  if (second !== undefined && first === "")
    throw new CommandError(`key name for file path ${second} missing`);
  if (second === "") throw new CommandError(`file path for key name ${first} missing`);
  const path = second ?? first;
  const found = statSync(resolve(cwd, path), { throwIfNoEntry: false });
  if (found === undefined) throw new CommandError(`error reading ${path}: no such file or directory`);
  if (!found.isDirectory()) {
    add(data, second === undefined ? basename(path) : first, readFileSync(resolve(cwd, path)));
    return;
  }
  if (second !== undefined) throw new CommandError("cannot give a key name for a directory path");
  for (const entry of readdirSync(resolve(cwd, path), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  ))
    if (entry.isFile()) add(data, entry.name, readFileSync(join(resolve(cwd, path), entry.name)));
}

function fromEnvFile(data: Data, path: string, { io }: Context): void {
  const full = resolve(io.cwd, path);
  const found = statSync(full, { throwIfNoEntry: false });
  if (found === undefined) throw new CommandError(`error reading ${path}: no such file or directory`);
  if (found.isDirectory()) throw new CommandError("env config file cannot be a directory");
  for (const raw of readFileSync(full, "utf8").split("\n")) {
    const line = raw
      .replace(/^\uFEFF/, "")
      .trimStart()
      .replace(/\r$/, "");
    if (line === "" || line.startsWith("#")) continue;
    const at = line.indexOf("=");
    const key = at < 0 ? line : line.slice(0, at);
    // A name alone takes its value from the environment, and is left out where there is none.
    const value = at < 0 ? io.env[key] : line.slice(at + 1);
    if (value !== undefined) add(data, key, Buffer.from(value));
  }
}

/** Keys and values, in the order of the keys. */
export function readData(context: Context): Data {
  const { flags, io } = context;
  const envFiles = flags.list("from-env-file");
  if (flags.bool("append-hash")) throw new CommandError("--append-hash is not built yet");
  if (envFiles.length > 0 && (flags.list("from-file").length > 0 || flags.list("from-literal").length > 0))
    throw new CommandError("from-env-file cannot be combined with from-file or from-literal");
  const data: Data = new Map();
  for (const source of flags.list("from-file")) fromFile(data, source, io.cwd);
  for (const source of flags.list("from-literal")) fromLiteral(data, source);
  for (const path of envFiles) fromEnvFile(data, path, context);
  return new Map([...data].sort(([a], [b]) => (a < b ? -1 : 1)));
}
