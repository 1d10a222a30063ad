// `jsonpatch.escapeKey(key)`: a key as a part of a JSON pointer.
import { overload, readsFirst, type Overload } from "../signature.ts";

const escapeKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

export const jsonPatches: readonly Overload[] = [
  overload("jsonpatch::escapeKey(string): string", escapeKey, readsFirst, (sizes) => sizes.size(0) * 2),
];
