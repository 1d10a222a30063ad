// What the words after a command name: `pods`, `pods,services`, `pod web`, `pod/web svc/web`. Pure.

import { CommandError } from "../command.ts";

export type Named =
  /** Types alone: everything of them, or what a selector picks. */
  | { readonly kind: "types"; readonly types: readonly string[] }
  /** Types and names of them. */
  | { readonly kind: "names"; readonly types: readonly string[]; readonly names: readonly string[] }
  /** `type/name` each. */
  | { readonly kind: "pairs"; readonly pairs: readonly Pair[] }
  | { readonly kind: "nothing" };

export interface Pair {
  readonly type: string;
  readonly name: string;
}

const noSingle = "arguments in resource/name form must have a single resource and name";

export function readArguments(args: readonly string[]): Named {
  if (args.length === 0) return { kind: "nothing" };
  if (args.some((arg) => arg.includes("/"))) return { kind: "pairs", pairs: pairsOf(args) };
  const [first = "", ...names] = args;
  const types = first.split(",");
  if (names.length === 0) return { kind: "types", types };
  if (types.includes("")) throw new CommandError(noSingle);
  if (names.includes("")) throw new CommandError("resource name may not be empty");
  return { kind: "names", types, names };
}

function pairsOf(args: readonly string[]): Pair[] {
  if (args.some((arg) => !arg.includes("/")))
    throw new CommandError(
      "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
    );
  return args.map((arg) => {
    const [type = "", name = "", ...more] = arg.split("/");
    if (more.length > 0)
      throw new CommandError("arguments in resource/name form may not have more than one slash");
    if (type === "" || name === "" || type.includes(",")) throw new CommandError(noSingle);
    return { type, name };
  });
}
