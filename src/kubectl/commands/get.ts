// `kubectl get`: shows objects, as a table that the server made or in a format of one's own.

import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import { fieldSelectorFlag, filenameFlags, outputFlags, selectorFlag } from "../flag-groups.ts";
import { objectPrinter } from "../printers/objects.ts";

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  if (flags.changed("raw")) {
    if (args.length > 0) throw new CommandError("arguments may not be passed when --raw is specified");
    const { rawRequest } = await import("./raw-request.ts");
    return rawRequest(context, "GET");
  }
  if (args.length === 0 && flags.list("filename").length === 0 && flags.string("kustomize") === "") {
    context.printError(
      'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\n',
    );
    throw new UsageError(
      'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
    );
  }
  const printer = await objectPrinter(context, { columns: true });
  if (flags.bool("watch") || flags.bool("watch-only")) {
    const { getWatch } = await import("./get-watch.ts");
    return getWatch(context, args, printer);
  }
  if (flags.bool("output-watch-events"))
    throw new CommandError("--output-watch-events option can only be used with --watch or --watch-only");
  if (printer !== undefined) {
    const { getObjects } = await import("./get-objects.ts");
    return getObjects(context, args, printer);
  }
  const { getTable } = await import("./get-table.ts");
  return getTable(context, args);
}

const truth = (name: string, usage: string, shorthand?: string): NonNullable<Command["flags"]>[number] => ({
  name,
  type: "bool",
  default: "false",
  usage,
  ...(shorthand === undefined ? {} : { shorthand }),
});

export const get: Command = {
  name: "get",
  use: "get [-o FORMAT] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
  short: "Show one or many resources",
  long: `Show one or many resources.

Prints a table with what matters most about each. Labels (-l) and fields (--field-selector) narrow the list; without a namespace only the current one is looked at.

"kubectl api-resources" lists the types there are.`,
  examples: `# All pods, one line each
kubectl get pods

# With nodes and addresses
kubectl get pods -o wide

# One replication controller
kubectl get replicationcontroller web

# One pod, as JSON
kubectl get -o json pod web-pod-13je7

# What a file describes, as the server has it
kubectl get -f pod.yaml -o yaml

# Only one value
kubectl get pod web-pod-13je7 -o jsonpath='{.status.phase}'

# Several types, several objects
kubectl get rc,services
kubectl get rc/web service/frontend

# Every namespace
kubectl get pods --all-namespaces`,
  flags: [
    truth("all-namespaces", "Look in every namespace", "A"),
    {
      name: "chunk-size",
      type: "int",
      default: "500",
      usage: "Ask for long lists in pieces of this size; 0 asks for all at once.",
    },
    fieldSelectorFlag,
    ...filenameFlags("that name what to get"),
    truth("ignore-not-found", "An object that does not exist is no error"),
    {
      name: "label-columns",
      shorthand: "L",
      type: "list",
      default: "[]",
      usage: "Labels to show as columns of their own",
    },
    truth("no-headers", "Leave the header line out"),
    ...outputFlags(),
    truth("output-watch-events", "With --watch: show what happened to each object, too"),
    { name: "raw", type: "string", default: "''", usage: "A path to ask the server for, as it stands" },
    selectorFlag,
    {
      name: "server-print",
      type: "bool",
      default: "true",
      usage: "Let the server make the table",
    },
    truth("show-kind", "Put the kind before each name"),
    truth("show-labels", "Show all labels, as the last column"),
    {
      name: "sort-by",
      type: "string",
      default: "''",
      usage: "Sort lists by this field, a JSONPath such as '{.metadata.name}'",
    },
    { name: "subresource", type: "string", default: "''", usage: "Get this subresource of the object" },
    truth("watch", "Then watch for changes", "w"),
    truth("watch-only", "Watch for changes, without listing first"),
  ],
  run,
};
