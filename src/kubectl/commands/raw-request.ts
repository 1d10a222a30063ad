// --raw PATH: one request as it stands, and the server's answer as it came.

import { collectBody } from "#client/body.ts";
import { errorFromAnswer } from "#client/client.ts";
import { CommandError, type Context } from "../command.ts";

export async function rawRequest(context: Context, method: string, body?: Buffer): Promise<void> {
  const raw = context.flags.string("raw");
  if (!raw.startsWith("/"))
    throw new CommandError(
      `--raw must be a valid URL path: parse ${JSON.stringify(raw)}: invalid URI for request`,
    );
  const [path = "", ...rest] = raw.split("?");
  const client = await context.client();
  const answer = await client.raw({
    method,
    path,
    query: rest.join("?"),
    headers: {
      accept: "application/json, */*",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  if (answer.status >= 400) throw errorFromAnswer(answer.status, (await collectBody(answer.body)).toString());
  if (answer.body.kind !== "stream") return context.io.stdout.write(await collectBody(answer.body));
  for await (const chunk of answer.body.chunks) context.io.stdout.write(chunk);
}
