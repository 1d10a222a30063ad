// What the words after a command name: `pods`, `pods,services`, `pod web`, `pod/web svc/web`. Pure.

import { CommandError } from "../command.ts";

export type Named =
  /** Types alone: everything of them, or what a selector picks. */
  | { readonly kind: "types"; readonly types: readonly string[] }
  /** Types and names of them. */
  | { readonly kind: "names"; readonly types: readonly string[]; readonly names: readonly string[] }
  /** `type/name` each. */
  | { readonly kind: "pairs"; readonly pairs: readonly { readonly type: string; readonly name: string }[] }
  | { readonly kind: "nothing" };

const splitTypes = (word: string): string[] => word.split(",").filter((type) => type !== "");

export function readArguments(args: readonly string[], path = "kubectl"): Named {
  if (args.length === 0) return { kind: "nothing" };
  if (args.some((arg) => arg.includes("/"))) return { kind: "pairs", pairs: pairsOf(args, path) };
  const [types = "", ...names] = args;
  if (names.length === 0) return { kind: "types", types: splitTypes(types) };
  return { kind: "names", types: splitTypes(types), names };
}

function pairsOf(args: readonly string[], path: string): { type: string; name: string }[] {
  if (args.some((arg) => !arg.includes("/")))
    throw new CommandError(
      `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. '${path} get resource/<resource_name>' instead of '${path} get resource resource/<resource_name>'`,
    );
  return args.flatMap((arg) => {
    const parts = arg.split("/");
    if (parts.length !== 2)
      throw new CommandError("arguments in resource/name form may not have more than one slash");
    const [types = "", name = ""] = parts;
    if (types === "" || name === "" || splitTypes(types).length === 0)
      throw new CommandError("arguments in resource/name form must have a single resource and name");
    return splitTypes(types).map((type) => ({ type, name }));
  });
}
