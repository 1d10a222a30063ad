// `kubectl create service TYPE NAME`: a service for the pods labelled app=NAME.

import { Services } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { checkPortName } from "#machinery/names.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import type { FlagSpec } from "../flags.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

const portMax = 65_535;

interface Port {
  readonly name: string;
  readonly protocol: "TCP";
  readonly port: number;
  readonly targetPort: number | string;
  nodePort?: number;
}

function portNumber(text: string): number {
  const fail = (why: string): CommandError =>
    new CommandError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^\d+$/.test(text)) throw fail("invalid syntax");
  if (Number(text) > portMax) throw fail("value out of range");
  return Number(text);
}

/** `80`, `80:8080`, `80:web` */
function portOf(text: string): Port {
  const [first = "", second = ""] = text.split(":");
  const port = portNumber(first);
  const name = text.replaceAll(":", "-");
  if (second === "") return { name, protocol: "TCP", port, targetPort: port };
  if (/^\d+$/.test(second)) return { name, protocol: "TCP", port, targetPort: portNumber(second) };
  const [problem] = checkPortName(second);
  if (problem !== undefined) throw new CommandError(problem);
  return { name, protocol: "TCP", port, targetPort: second };
}

async function create(context: Context, args: readonly string[], type: string): Promise<void> {
  const { flags } = context;
  const name = nameOf(args);
  const text = (flag: string): string => (flags.has(flag) ? flags.string(flag) : "");
  const ports = flags.list("tcp").map(portOf);
  const headless = text("clusterip") === "None";
  if (ports.length === 0 && type !== "ExternalName" && !headless)
    throw new CommandError("at least one tcp port specifier must be provided");
  if (flags.has("node-port") && flags.int("node-port") !== 0)
    for (const port of ports) port.nodePort = flags.int("node-port");
  const object = {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name, labels: { app: name } },
    spec: {
      ...(ports.length === 0 ? {} : { ports }),
      selector: { app: name },
      ...(text("clusterip") === "" ? {} : { clusterIP: text("clusterip") }),
      type,
      ...(text("external-name") === "" ? {} : { externalName: text("external-name") }),
    },
    status: { loadBalancer: {} },
  };
  return createObject(context, Services, object as KubeObject, `failed to create ${type} service`);
}

const tcp: FlagSpec = {
  name: "tcp",
  type: "list",
  default: "[]",
  usage: "Port of the service and port of the pods: '<port>:<targetPort>'.",
};

const variant = (type: string, more: readonly FlagSpec[], requiredFlags: readonly string[] = []): Command => {
  const name = type.toLowerCase();
  return {
    name,
    use: `${name} NAME [--tcp=port:targetPort] [--dry-run=server|client|none]`,
    short: `Create a ${type} service`,
    examples: `# For the pods labelled app=my-svc\nkubectl create service ${name} my-svc --tcp=80:8080`,
    flags: [...createFlags, tcp, ...more],
    requiredFlags,
    run: (context, args) => create(context, args, type),
  };
};

export const createService: Command = {
  name: "service",
  aliases: ["svc"],
  use: "service [flags]",
  short: "Create a service using a specified subcommand",
  subcommands: [
    variant("ClusterIP", [
      {
        name: "clusterip",
        type: "string",
        default: "''",
        usage: "The address, or 'None' for a service without one",
      },
    ]),
    variant(
      "ExternalName",
      [
        {
          name: "external-name",
          type: "string",
          default: "''",
          usage: "The name that the service stands for",
        },
      ],
      ["external-name"],
    ),
    variant("LoadBalancer", []),
    variant("NodePort", [
      { name: "node-port", type: "int", default: "0", usage: "The port on every node; 0 takes a free one" },
    ]),
  ],
};
