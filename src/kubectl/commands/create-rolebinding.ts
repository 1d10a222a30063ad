// `kubectl create rolebinding NAME` and `create clusterrolebinding NAME`: who has a role.

import type { ResourceRef } from "#client/client.ts";
import { ClusterRoleBindings, RoleBindings } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import type { FlagSpec } from "../flags.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

const apiGroup = "rbac.authorization.k8s.io";

function subjects({ flags }: Context): object[] {
  const people = (flag: string, kind: string): object[] =>
    [...new Set(flags.list(flag))].map((name) => ({ kind, apiGroup, name }));
  const accounts = [...new Set(flags.list("serviceaccount"))].map((text) => {
    const [namespace = "", name = "", ...more] = text.split(":");
    if (namespace === "" || name === "" || more.length > 0)
      throw new CommandError("serviceaccount must be <namespace>:<name>");
    return { kind: "ServiceAccount", name, namespace };
  });
  return [...people("user", "User"), ...people("group", "Group"), ...accounts];
}

function bind(
  context: Context,
  ref: ResourceRef,
  name: string,
  role: { kind: string; name: string },
): Promise<void> {
  const found = subjects(context);
  const object = {
    kind: ref.kind,
    apiVersion: `${apiGroup}/v1`,
    metadata: { name },
    ...(found.length === 0 ? {} : { subjects: found }),
    roleRef: { apiGroup, ...role },
  };
  return createObject(context, ref, object as KubeObject, `failed to create ${ref.kind.toLowerCase()}`);
}

const subjectFlags: readonly FlagSpec[] = [
  {
    name: "group",
    type: "array",
    default: "[]",
    usage: "Group that has the role; may be given several times",
  },
  {
    name: "serviceaccount",
    type: "array",
    default: "[]",
    usage: "Service account that has the role, as <namespace>:<name>; may be given several times",
  },
  { name: "user", type: "array", default: "[]", usage: "User that has the role; may be given several times" },
];

export const createRoleBinding: Command = {
  name: "rolebinding",
  use: "rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
  short: "Give a role, or a cluster role in one namespace",
  examples:
    "# What cluster role admin allows, in this namespace\nkubectl create rolebinding admin --clusterrole=admin --user=user1 --group=group1",
  flags: [
    ...createFlags,
    ...subjectFlags,
    { name: "clusterrole", type: "string", default: "''", usage: "The cluster role to give" },
    { name: "role", type: "string", default: "''", usage: "The role to give" },
  ],
  run: async (context, args) => {
    const name = nameOf(args);
    const [role, clusterRole] = [context.flags.string("role"), context.flags.string("clusterrole")];
    if ((role === "") === (clusterRole === ""))
      throw new CommandError("exactly one of clusterrole or role must be specified");
    await bind(context, RoleBindings, name, {
      kind: role === "" ? "ClusterRole" : "Role",
      name: role || clusterRole,
    });
  },
};

export const createClusterRoleBinding: Command = {
  name: "clusterrolebinding",
  use: "clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
  short: "Give a cluster role in every namespace",
  examples:
    "# What cluster role cluster-admin allows, everywhere\nkubectl create clusterrolebinding admins --clusterrole=cluster-admin --user=user1",
  flags: [
    ...createFlags,
    ...subjectFlags,
    { name: "clusterrole", type: "string", default: "''", usage: "The cluster role to give" },
  ],
  requiredFlags: ["clusterrole"],
  run: async (context, args) => {
    await bind(context, ClusterRoleBindings, nameOf(args), {
      kind: "ClusterRole",
      name: context.flags.string("clusterrole"),
    });
  },
};
