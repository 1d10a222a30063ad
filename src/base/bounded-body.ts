// A body as one buffer, up to a bound.

export async function boundedBody(chunks: AsyncIterable<unknown>, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const part = chunk as Buffer;
    size += part.length;
    if (size > bytesMax) throw new Error(`the body is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
