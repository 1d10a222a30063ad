// `kubectl create token NAME`: a token by which a service account shows who it is.

import { ServiceAccounts } from "#client/refs.ts";
import { resourcePath } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { outputFlags } from "../flag-groups.ts";
import { objectPrinter } from "../printers/objects.ts";
import { nameOf } from "./create-object.ts";

interface TokenRequest extends KubeObject {
  spec?: { audiences?: readonly string[]; expirationSeconds?: number; boundObjectRef?: object };
  status?: { token?: string };
}

const boundKinds: Readonly<Record<string, string>> = { Pod: "v1", Secret: "v1", Node: "v1" };

function boundObject({ flags }: Context): object | undefined {
  const [kind, name, uid] = ["bound-object-kind", "bound-object-name", "bound-object-uid"].map((flag) =>
    flags.string(flag),
  );
  if (kind === "" || kind === undefined) {
    if (name !== "")
      throw new CommandError("--bound-object-name can only be set if --bound-object-kind is provided");
    if (uid !== "")
      throw new CommandError("--bound-object-uid can only be set if --bound-object-kind is provided");
    return undefined;
  }
  const apiVersion = boundKinds[kind];
  if (apiVersion === undefined)
    throw new CommandError(
      `supported --bound-object-kind values are ${Object.keys(boundKinds).sort().join(", ")}`,
    );
  if (name === "")
    throw new CommandError("--bound-object-name is required if --bound-object-kind is provided");
  return { kind, apiVersion, name, ...(uid === "" ? {} : { uid }) };
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const name = nameOf(args);
  const printer = await objectPrinter(context, { columns: false, typed: true });
  const seconds = flags.durationMs("duration") / 1000;
  if (seconds < 0) throw new CommandError("--duration must be greater than or equal to 0");
  if (seconds % 1 !== 0) throw new CommandError("--duration cannot be expressed in units less than seconds");
  const audiences = flags.list("audience");
  const bound = boundObject(context);
  const { name: namespace } = await context.namespace();
  const request: TokenRequest = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    spec: {
      ...(audiences.length === 0 ? {} : { audiences }),
      ...(seconds > 0 ? { expirationSeconds: seconds } : {}),
      ...(bound === undefined ? {} : { boundObjectRef: bound }),
    },
  };
  const path = resourcePath(ServiceAccounts, namespace, name, "token");
  let answer: TokenRequest;
  try {
    answer = await (await context.client()).json("POST", path, request);
  } catch (thrown) {
    throw thrown instanceof Error && "status" in thrown
      ? new CommandError(`failed to create token: ${thrown.message}`)
      : thrown;
  }
  const { token = "" } = answer.status ?? {};
  if (token === "") throw new CommandError("failed to create token: no token in server response");
  context.print(printer?.(answer) ?? `${token}\n`);
}

export const createToken: Command = {
  name: "token",
  use: "token SERVICE_ACCOUNT_NAME",
  short: "Request a service account token",
  examples:
    "# For the service account myapp\nkubectl create token myapp\n\n# For ten minutes\nkubectl create token myapp --duration 10m",
  flags: [
    {
      name: "audience",
      type: "array",
      default: "[]",
      usage: "Whom the token is for; may be given several times",
    },
    {
      name: "bound-object-kind",
      type: "string",
      default: "''",
      usage: "Kind of an object with which the token ends",
    },
    { name: "bound-object-name", type: "string", default: "''", usage: "Name of that object" },
    { name: "bound-object-uid", type: "string", default: "''", usage: "UID of that object" },
    { name: "duration", type: "duration", default: "0s", usage: "How long the token is to last" },
    ...outputFlags(),
  ],
  run,
};
