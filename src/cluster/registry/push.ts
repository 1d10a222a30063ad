// Pushing to the bridge registry from the host: blobs that it lacks, then the manifest.

import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface PushTarget {
  /** `10.200.0.1:5000` */
  readonly registry: string;
  readonly repository: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

const silenceMsMax = 120_000;

async function call(
  registry: string,
  method: string,
  path: string,
  body?: Readable | Buffer,
  headers: Record<string, string | number> = {},
): Promise<Answer> {
  const request = httpRequest(`http://${registry}${path}`, { method, headers, timeout: silenceMsMax });
  request.once("timeout", () => request.destroy(new Error(`the registry at ${registry} does not answer`)));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  const sent =
    body === undefined
      ? request.end()
      : pipeline(body instanceof Buffer ? Readable.from([body]) : body, request);
  const [response] = await Promise.all([answered, sent]);
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString(),
  };
}

function expect(answer: Answer, status: number, what: string): void {
  if (answer.status !== status)
    throw new Error(`${what}: the registry answered ${answer.status} ${answer.text.trim()}`);
}

/** True when the blob had to be sent. */
export async function pushBlob(
  { registry, repository }: PushTarget,
  digest: string,
  size: number,
  content: () => Readable | Buffer,
): Promise<boolean> {
  const head = await call(registry, "HEAD", `/v2/${repository}/blobs/${digest}`);
  if (head.status === 200) return false;
  const started = await call(registry, "POST", `/v2/${repository}/blobs/uploads/`);
  expect(started, 202, `starting an upload to ${repository}`);
  const put = await call(registry, "PUT", `${started.headers.location}?digest=${digest}`, content(), {
    "content-type": "application/octet-stream",
    "content-length": size,
  });
  expect(put, 201, `pushing ${digest} to ${repository}`);
  return true;
}

export async function pushManifest(
  { registry, repository }: PushTarget,
  reference: string,
  mediaType: string,
  content: Buffer,
): Promise<void> {
  const put = await call(registry, "PUT", `/v2/${repository}/manifests/${reference}`, content, {
    "content-type": mediaType,
    "content-length": content.length,
  });
  expect(put, 201, `pushing ${repository}:${reference}`);
}
