// `kubectl get --raw PATH`: the server's answer as it came.

import { collectBody } from "#client/body.ts";
import { errorFromAnswer } from "#client/client.ts";
import { CommandError, type Context } from "../command.ts";

export async function getRaw(context: Context, args: readonly string[]): Promise<void> {
  if (args.length > 0) throw new CommandError("arguments may not be passed when --raw is specified");
  const raw = context.flags.string("raw");
  if (!raw.startsWith("/"))
    throw new CommandError(
      `--raw must be a valid URL path: parse ${JSON.stringify(raw)}: invalid URI for request`,
    );
  const [path = "", ...rest] = raw.split("?");
  const client = await context.client();
  const answer = await client.raw({
    method: "GET",
    path,
    query: rest.join("?"),
    headers: { accept: "application/json, */*" },
  });
  if (answer.status >= 400) throw errorFromAnswer(answer.status, (await collectBody(answer.body)).toString());
  if (answer.body.kind !== "stream") return context.io.stdout.write(await collectBody(answer.body));
  for await (const chunk of answer.body.chunks) context.io.stdout.write(chunk);
}
