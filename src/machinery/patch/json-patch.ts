// RFC 6902: operations on a JSON document, one after the other; all of them or none. What is wrong with a patch comes
// back as the documented client error. Keys such as __proto__ are data.

import { isDeepStrictEqual } from "node:util";
import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import { badRequest, failure } from "../status.ts";

/** Operations in one patch; more are refused. */
export const jsonPatchOperationsMax = 10_000;
/** What copies may add to the document in all, so that a few of them cannot grow it without end. */
export const jsonPatchCopiedBytesMax = 3 * 1024 * 1024;

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

class PatchError extends Error {
  override name = "PatchError";
}

/** `/a~1b/0` → `["a/b", "0"]` */
function keysOf(pointer: string): string[] {
  if (pointer === "") return [];
  if (!pointer.startsWith("/"))
    throw new PatchError(`path ${JSON.stringify(pointer)} does not start with "/"`);
  return pointer
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The index that a key names in a list of `length` items; undefined when it names none. */
function indexOf(key: string, length: number): number | undefined {
  if (!/^(0|[1-9]\d*)$/.test(key)) return undefined;
  const at = Number(key);
  return at < length ? at : undefined;
}

function childOf(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) {
    const at = indexOf(key, parent.length);
    return at === undefined ? undefined : (parent[at] as unknown);
  }
  return isObject(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
}

/** The document is held in a box, so that its root is a place like any other. */
class Document {
  readonly #box: JsonObject;
  #copiedBytes = 0;

  constructor(root: unknown) {
    this.#box = { root };
  }

  get root(): unknown {
    return this.#box["root"];
  }

  /** The container of the last key. */
  #place(pointer: string): { parent: JsonObject | unknown[]; key: string } {
    const keys = ["root", ...keysOf(pointer)];
    const key = keys.pop() as string;
    let parent: unknown = this.#box;
    for (const step of keys) parent = childOf(parent, step);
    if (!Array.isArray(parent) && !isObject(parent))
      throw new PatchError(`path ${JSON.stringify(pointer)} leads through something that is not there`);
    return { parent, key };
  }

  #get(pointer: string): unknown {
    const { parent, key } = this.#place(pointer);
    const value = childOf(parent, key);
    if (value === undefined) throw new PatchError(`there is nothing at ${JSON.stringify(pointer)}`);
    return value;
  }

  #add(pointer: string, value: unknown): void {
    const { parent, key } = this.#place(pointer);
    if (!Array.isArray(parent)) return setOwn(parent, key, value);
    const at = key === "-" ? parent.length : indexOf(key, parent.length + 1);
    if (at === undefined) throw new PatchError(`${JSON.stringify(pointer)} is no place in the list`);
    parent.splice(at, 0, value);
  }

  #remove(pointer: string): void {
    this.#get(pointer);
    const { parent, key } = this.#place(pointer);
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete parent[key];
  }

  #replace(pointer: string, value: unknown): void {
    this.#get(pointer);
    const { parent, key } = this.#place(pointer);
    if (Array.isArray(parent)) parent[Number(key)] = value;
    else setOwn(parent, key, value);
  }

  #copy(from: string): unknown {
    const value = this.#get(from);
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > jsonPatchCopiedBytesMax)
      throw new PatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${jsonPatchCopiedBytesMax}`,
      );
    return structuredClone(value);
  }

  apply({ op, path, from, value }: Operation): void {
    switch (op) {
      case "add":
        return this.#add(path, valueOf(value));
      case "remove":
        return this.#remove(path);
      case "replace":
        return this.#replace(path, valueOf(value));
      case "test":
        if (!isDeepStrictEqual(this.#get(path), valueOf(value)))
          throw new PatchError(`testing value ${path} failed`);
        return;
      case "copy":
        return this.#add(path, this.#copy(sourceOf(from)));
      case "move": {
        const source = sourceOf(from);
        if (path.startsWith(`${source}/`))
          throw new PatchError(`${JSON.stringify(source)} cannot be moved into itself`);
        const moved = this.#get(source);
        this.#remove(source);
        return this.#add(path, moved);
      }
      default:
        throw new PatchError(`unexpected kind: ${op}`);
    }
  }
}

function valueOf(value: unknown): unknown {
  if (value === undefined) throw new PatchError("the operation lacks its value");
  return value;
}

function sourceOf(from: string | undefined): string {
  if (typeof from !== "string") throw new PatchError("the operation lacks its source, from");
  return from;
}

/** Applies `patch` to `document` in place and returns the result (a new root when the patch replaces it). */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${isObject(patch) ? "object" : typeof patch} into Go value of type []interface {}`,
    );
  if (patch.length > jsonPatchOperationsMax) {
    throw failure(
      413,
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${patch.length}`,
    );
  }
  const changed = new Document(document);
  try {
    for (const operation of patch as readonly unknown[]) {
      if (!isObject(operation)) throw new PatchError("an operation is an object");
      const { op, path } = operation;
      if (typeof op !== "string" || typeof path !== "string")
        throw new PatchError(`an operation has an "op" and a "path"`);
      changed.apply(operation as unknown as Operation);
    }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    // The message is the documented one for whatever is wrong; what that is stands in the cause.
    throw failure(422, "Invalid", "the server rejected our request due to an error in our request", {
      causes: [{ reason: "UnexpectedServerResponse", message: error.message }],
    });
  }
  return changed.root;
}
