// `kubectl create role NAME` and `create clusterrole NAME`: rules from verbs and resources.

import { ClusterRoles, Roles } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { parseSelector } from "#machinery/selectors.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { Failures } from "../failure.ts";
import type { FlagSpec } from "../flags.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

const resourceVerbs = new Set(
  "* approve bind create delete deletecollection escalate get impersonate list patch proxy sign update use watch".split(
    " ",
  ),
);
const urlVerbs = new Set(["*", "delete", "get", "head", "options", "patch", "post", "put"]);

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** One rule per group, in the order in which their resources were named. */
async function resourceRules(context: Context, verbs: readonly string[]): Promise<Rule[]> {
  const { flags } = context;
  const byGroup = new Map<string, string[]>();
  for (const word of flags.list("resource")) {
    const [name = "", subresource = ""] = word.split("/");
    if (name === "") throw new CommandError("resource must be specified if apiGroup/subresource specified");
    const found = name === "*" ? { group: "", resource: "*" } : await (await context.discovery()).find(name);
    if (found === undefined)
      throw new Failures([
        new CommandError(`the server doesn't have a resource type ${JSON.stringify(name)}`),
      ]);
    const resource = subresource === "" ? found.resource : `${found.resource}/${subresource}`;
    const resources = byGroup.get(found.group) ?? [];
    if (!resources.includes(resource)) resources.push(resource);
    byGroup.set(found.group, resources);
  }
  for (const verb of byGroup.size > 0 ? verbs : [])
    if (!resourceVerbs.has(verb)) context.printError(`Warning: '${verb}' is not a standard resource verb\n`);
  const resourceNames = unique(flags.list("resource-name"));
  return [...byGroup].map(([group, resources]) => ({
    verbs,
    apiGroups: [group],
    resources,
    ...(resourceNames.length === 0 ? {} : { resourceNames }),
  }));
}

/** `*` is all verbs, and needs no other beside it. */
function verbsOf({ flags }: Context): string[] {
  const verbs = unique(flags.list("verb"));
  if (verbs.length === 0) throw new CommandError("at least one verb must be specified");
  return verbs.includes("*") ? ["*"] : verbs;
}

async function runRole(context: Context, args: readonly string[]): Promise<void> {
  const name = nameOf(args);
  const verbs = verbsOf(context);
  if (context.flags.list("resource").length === 0)
    throw new CommandError("at least one resource must be specified");
  const object = {
    kind: "Role",
    apiVersion: "rbac.authorization.k8s.io/v1",
    metadata: { name },
    rules: await resourceRules(context, verbs),
  };
  return createObject(context, Roles, object as KubeObject);
}

function aggregation(text: string): object {
  const matchLabels: Record<string, string> = {};
  for (const { key, values } of parseSelector(text)) matchLabels[key] = values[0] ?? "";
  return { clusterRoleSelectors: [{ matchLabels }] };
}

async function clusterRules(context: Context): Promise<Rule[]> {
  const { flags } = context;
  const verbs = verbsOf(context);
  const urls = unique(flags.list("non-resource-url"));
  if (flags.list("resource").length === 0 && urls.length === 0)
    throw new CommandError("one of resource or nonResourceURL must be specified");
  if (urls.some((url) => !url.startsWith("/"))) throw new CommandError("nonResourceURL should start with /");
  const wrong = urls.length > 0 ? verbs.find((verb) => !urlVerbs.has(verb)) : undefined;
  if (wrong !== undefined) throw new CommandError(`invalid verb: '${wrong}' for nonResourceURL`);
  const rules = await resourceRules(context, verbs);
  return urls.length === 0 ? rules : [...rules, { verbs, nonResourceURLs: urls }];
}

async function runClusterRole(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const name = nameOf(args);
  const aggregated = flags.string("aggregation-rule");
  const others = ["verb", "resource", "resource-name", "non-resource-url"].some((flag) =>
    flags.changed(flag),
  );
  if (aggregated !== "" && others)
    throw new CommandError(
      "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
    );
  const object = {
    kind: "ClusterRole",
    apiVersion: "rbac.authorization.k8s.io/v1",
    metadata: { name },
    ...(aggregated === ""
      ? { rules: await clusterRules(context) }
      : { rules: null, aggregationRule: aggregation(aggregated) }),
  };
  return createObject(context, ClusterRoles, object as KubeObject);
}

const ruleFlags: readonly FlagSpec[] = [
  {
    name: "resource",
    type: "list",
    default: "[]",
    usage: "Resource that the rule is for: pods, pods/log, deployments.apps",
  },
  {
    name: "resource-name",
    type: "array",
    default: "[]",
    usage: "Only objects of this name; may be given several times",
  },
  { name: "verb", type: "list", default: "[]", usage: "What may be done: get, list, watch, create …" },
];

export const createRole: Command = {
  name: "role",
  use: "role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]",
  short: "Create a role with a single rule",
  examples:
    "# Who has it may look at pods\nkubectl create role pod-reader --verb=get,list,watch --resource=pods",
  flags: [...createFlags, ...ruleFlags],
  run: runRole,
};

export const createClusterRole: Command = {
  name: "clusterrole",
  use: "clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]",
  short: "Create a cluster role",
  examples:
    "# Who has it may look at pods everywhere\nkubectl create clusterrole pod-reader --verb=get,list,watch --resource=pods",
  flags: [
    ...createFlags,
    ...ruleFlags,
    {
      name: "aggregation-rule",
      type: "string",
      default: "",
      usage: "Labels of the cluster roles that this one is made of",
    },
    {
      name: "non-resource-url",
      type: "list",
      default: "[]",
      usage: "Path that is no resource, such as /metrics",
    },
  ],
  run: runClusterRole,
};
