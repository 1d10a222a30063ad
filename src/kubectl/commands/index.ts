// The commands by name. Each one's code is loaded when it runs, so that none pays for another.

import type { Command } from "../command.ts";

export interface CommandEntry {
  readonly name: string;
  readonly short: string;
  readonly section: Section;
  /** Missing: a command of kubectl that is not built yet. */
  readonly load?: () => Promise<Command>;
}

export const sections = [
  "Basic Commands (Beginner)",
  "Basic Commands (Intermediate)",
  "Deploy Commands",
  "Cluster Management Commands",
  "Troubleshooting and Debugging Commands",
  "Settings Commands",
  "Other Commands",
] as const;
export type Section = (typeof sections)[number];

export const commands: readonly CommandEntry[] = [
  {
    name: "create",
    short: "Create a resource from a file or from stdin",
    section: "Basic Commands (Beginner)",
    load: async () => (await import("./create.ts")).create,
  },
  {
    name: "get",
    short: "Show one or many resources",
    section: "Basic Commands (Intermediate)",
    load: async () => (await import("./get.ts")).get,
  },
  {
    name: "delete",
    short: "Delete resources by file, by name, or by label",
    section: "Basic Commands (Intermediate)",
    load: async () => (await import("./delete.ts")).deleteCommand,
  },
  {
    name: "scale",
    short: "Set how many replicas there should be",
    section: "Deploy Commands",
    load: async () => (await import("./scale.ts")).scale,
  },
  {
    name: "cluster-info",
    short: "Show where the cluster's services answer",
    section: "Cluster Management Commands",
    load: async () => (await import("./cluster-info.ts")).clusterInfo,
  },
  {
    name: "logs",
    short: "Print the logs of a container in a pod",
    section: "Troubleshooting and Debugging Commands",
    load: async () => (await import("./logs.ts")).logs,
  },
  {
    name: "exec",
    short: "Run a command in a container",
    section: "Troubleshooting and Debugging Commands",
    load: async () => (await import("./exec.ts")).exec,
  },
  {
    name: "api-resources",
    short: "Print the resources that the server serves",
    section: "Other Commands",
    load: async () => (await import("./api-resources.ts")).apiResources,
  },
  {
    name: "api-versions",
    short: 'Print the API versions that the server serves, as "group/version"',
    section: "Other Commands",
    load: async () => (await import("./api-versions.ts")).apiVersions,
  },
  {
    name: "config",
    short: "Look at and change kubeconfig files",
    section: "Other Commands",
    load: async () => (await import("./config.ts")).config,
  },
  {
    name: "version",
    short: "Print the versions of client and server",
    section: "Other Commands",
    load: async () => (await import("./version.ts")).version,
  },
];

/** Every command of kubectl 1.36, in its order. Those that are not in the table above are known, and say so. */
export const allNames: readonly string[] =
  "create expose run set explain get edit delete rollout scale autoscale certificate cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp auth debug events diff apply patch replace wait kustomize label annotate completion alpha config kuberc plugin version api-versions api-resources options help".split(
    " ",
  );
