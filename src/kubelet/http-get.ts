// One HTTP GET of a probe or a hook: any certificate is good, redirects on the same host are followed.

import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { HTTPGetAction } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { probeBodyBytesMax } from "./limits.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** It led to another host, which was not followed. */
  readonly redirectedAway: boolean;
}

const redirectsMax = 10;

export class HttpGetError extends Error {
  override name = "HttpGetError";
}

function describe(error: NodeJS.ErrnoException, url: URL): string {
  const at = `${url.hostname.includes(":") ? url.hostname : url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
  switch (error.code) {
    case "ECONNREFUSED":
      return `dial tcp ${at}: connect: connection refused`;
    case "EHOSTUNREACH":
      return `dial tcp ${at}: connect: no route to host`;
    case "ENETUNREACH":
      return `dial tcp ${at}: connect: network is unreachable`;
    case "ECONNRESET":
      return "read tcp: connection reset by peer";
    default:
      return error.message;
  }
}

function once(
  url: URL,
  headers: readonly [string, string][],
  timeoutMs: number,
): Promise<{ answer: HttpAnswer; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? httpsRequest : httpRequest;
    const fail = (text: string): void => reject(new HttpGetError(`Get "${url.href}": ${text}`));
    const request = start(url, {
      method: "GET",
      agent: false,
      headers: headers.flat(),
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => {
      fail("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
      request.destroy();
    }, timeoutMs);
    request.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(describe(error, url));
    });
    request.on("response", (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (): void => {
        clearTimeout(timer);
        request.destroy();
        const status = response.statusCode ?? 0;
        const body = Buffer.concat(chunks).toString().slice(0, probeBodyBytesMax);
        const location = status >= 300 && status < 400 ? response.headers.location : undefined;
        resolve({ answer: { status, body, redirectedAway: false }, location });
      };
      response.on("data", (chunk: Buffer) => {
        if (size < probeBodyBytesMax) chunks.push(chunk);
        size += chunk.length;
        if (size >= probeBodyBytesMax) done();
      });
      response.on("end", done);
      response.on("error", done);
    });
    request.end();
  });
}

export async function httpGet(
  action: DeepReadonly<HTTPGetAction>,
  host: string,
  port: number,
  userAgent: string,
  timeoutMs: number,
): Promise<HttpAnswer> {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const at = host.includes(":") ? `[${host}]` : host;
  const path = action.path ?? "/";
  let url = new URL(`${scheme}://${at}:${port}${path.startsWith("/") ? path : `/${path}`}`);
  const headers: [string, string][] = (action.httpHeaders ?? []).map(({ name, value }) => [name, value]);
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!given.has("user-agent")) headers.push(["User-Agent", userAgent]);
  if (!given.has("accept")) headers.push(["Accept", "*/*"]);
  if (!given.has("host")) headers.push(["Host", url.host]);
  headers.push(["Connection", "close"]);
  const endsAt = performance.now() + timeoutMs;
  for (let followed = 0; ; followed++) {
    const { answer, location } = await once(url, headers, Math.max(1, endsAt - performance.now()));
    if (location === undefined) return answer;
    const next = new URL(location, url);
    if (next.hostname !== url.hostname) return { ...answer, redirectedAway: true };
    if (followed >= redirectsMax)
      throw new HttpGetError(`Get "${url.href}": stopped after ${redirectsMax} redirects`);
    url = next;
  }
}
