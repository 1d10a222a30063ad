// One container's log → stdout: asked for, asked again while a container that is to be followed has not started, and
// written with a prefix before each line where several come together.

import { collectBody } from "#client/body.ts";
import { errorFromAnswer, resourcePath } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { ApiResponse } from "#machinery/api-request.ts";
import { isApiError } from "#machinery/status.ts";
import { CommandError, type Context } from "../command.ts";

/** One log to print. */
export interface Source {
  readonly pod: string;
  readonly namespace: string;
  readonly container: string;
}

export interface StreamOptions {
  readonly query: Readonly<Record<string, string>>;
  readonly prefixed: boolean;
  /** Other logs are written meanwhile: only whole lines. */
  readonly together: boolean;
  /** How long to ask again where the server says that there is no log yet; 0 for once. */
  readonly patienceMs: number;
}

const retryMs = 1000;
/** A line that is longer is written in pieces, also beside other logs. */
const lineBytesMax = 1024 * 1024;

async function ask(context: Context, source: Source, query: StreamOptions["query"]): Promise<ApiResponse> {
  const client = await context.client();
  const answer = await client.raw({
    method: "GET",
    path: resourcePath(Pods, source.namespace, source.pod, "log"),
    query: new URLSearchParams({ container: source.container, ...query }).toString(),
    headers: { accept: "application/json, */*" },
  });
  if (answer.status < 400) return answer;
  throw errorFromAnswer(answer.status, (await collectBody(answer.body)).toString());
}

/** Until there is a log, saying each time why there is none. */
async function askPatiently(context: Context, source: Source, options: StreamOptions): Promise<ApiResponse> {
  const { query, patienceMs } = options;
  if (patienceMs === 0) return ask(context, source, query);
  for (let waited = 0; waited < patienceMs; waited += retryMs) {
    try {
      return await ask(context, source, query);
    } catch (thrown) {
      if (!isApiError(thrown, "BadRequest")) throw thrown;
      context.printError(`${thrown.message}\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(retryMs, patienceMs - waited)));
  }
  throw new CommandError("context deadline exceeded");
}

export async function printLog(context: Context, source: Source, options: StreamOptions): Promise<void> {
  const { body } = await askPatiently(context, source, options);
  const chunks = body.kind === "stream" ? body.chunks : [await collectBody(body)];
  const prefix = Buffer.from(options.prefixed ? `[pod/${source.pod}/${source.container}] ` : "");
  let lineStarts = true;
  let held = Buffer.alloc(0);
  const write = (bytes: Buffer): void => {
    const [text, atStart] = withPrefix(bytes, prefix, lineStarts);
    lineStarts = atStart;
    context.io.stdout.write(text);
  };
  for await (const chunk of chunks) {
    if (!options.together) {
      write(chunk);
      continue;
    }
    const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const end = all.length > lineBytesMax ? all.length : all.lastIndexOf(10) + 1;
    held = Buffer.from(all.subarray(end));
    write(all.subarray(0, end));
  }
  write(held);
}

/** The bytes with `prefix` before each line that begins in them, and whether the next chunk begins a line. */
export function withPrefix(chunk: Buffer, prefix: Buffer, lineStarts: boolean): [Buffer, boolean] {
  if (chunk.length === 0) return [chunk, lineStarts];
  const out: Buffer[] = [];
  if (prefix.length === 0) out.push(chunk);
  else {
    for (let from = 0, starts = lineStarts; from < chunk.length; starts = true) {
      const end = chunk.indexOf(10, from);
      const to = end < 0 ? chunk.length : end + 1;
      if (starts) out.push(prefix);
      out.push(chunk.subarray(from, to));
      from = to;
    }
  }
  return [Buffer.concat(out), chunk.at(-1) === 10];
}
