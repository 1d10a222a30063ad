// Reading response bodies: whole, or line by line as a watch sends them.

import { blocksOf, type ApiBody } from "#machinery/api-request.ts";

/** The whole body as bytes. */
export async function collectBody(body: ApiBody): Promise<Buffer> {
  switch (body.kind) {
    case "empty":
      return Buffer.alloc(0);
    case "bytes":
      return body.chunks.length === 1 ? (body.chunks[0] as Buffer) : Buffer.concat(body.chunks);
    case "source":
      return Buffer.concat([...blocksOf(body.source)]);
    case "stream": {
      const chunks: Buffer[] = [];
      for await (const chunk of body.chunks) chunks.push(chunk);
      return Buffer.concat(chunks);
    }
    case "object":
      return Buffer.from(JSON.stringify(body.object));
    case "events":
    case "upgrade":
      throw new Error(`a body of kind ${body.kind} has no bytes to collect`);
  }
}

/** Complete lines, in batches as they arrive. A last line without a newline is dropped: it was cut off. */
export async function* readLines(body: ApiBody): AsyncGenerator<readonly string[]> {
  const chunks = body.kind === "stream" ? body.chunks : [await collectBody(body)];
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(10);
    if (end < 0) {
      pending.push(chunk);
      continue;
    }
    const text = Buffer.concat([...pending, chunk.subarray(0, end)]).toString();
    pending = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    yield text.split("\n").filter((line) => line !== "");
  }
}
