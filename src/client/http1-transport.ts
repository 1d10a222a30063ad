// The transport over HTTP/1.1, with TLS or without: for short-lived clients, where loading and opening HTTP/2 costs
// more than it saves. Connections are kept while the process lives, and do not keep it alive.

import {
  Agent as PlainAgent,
  request as plainRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { ApiRequest, ApiResponse, Transport } from "#machinery/api-request.ts";
import { sharedObjectsHeader } from "#machinery/api-request.ts";
import type { ServerAccess } from "./kubeconfig.ts";

export interface Http1Options {
  /** Sent with every request: impersonation, basic authentication. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** How long a request and its whole answer may take. 0: as long as they take. */
  readonly timeoutMs?: number;
}

/** The server's certificate is not trusted, or the connection failed: with the address it was for. */
export class ConnectionError extends Error {
  readonly code: string;
  readonly address: string;
  readonly url: string;
  readonly method: string;
  /** The address that was dialled, where it came to that. */
  readonly dialed: string;
  constructor(
    cause: Error,
    about: { readonly address: string; readonly url: string; readonly method: string },
  ) {
    super(cause.message, { cause });
    this.code = (cause as NodeJS.ErrnoException).code ?? "";
    this.address = about.address;
    this.url = about.url;
    this.method = about.method;
    const { address, port } = cause as { address?: string; port?: number };
    this.dialed = address === undefined || port === undefined ? about.address : `${address}:${port}`;
  }
}

/** `localhost:8080` is a server too. */
export function serverUrl(server: string): URL {
  return new URL(/^https?:\/\//.test(server) ? server : `http://${server}`);
}

const socketsMax = 16;

/** Whom to trust and who we are, as node:tls takes it. */
export function tlsOptions(access: ServerAccess): object {
  return {
    ...(access.certificateAuthority === undefined ? {} : { ca: access.certificateAuthority }),
    ...(access.clientCertificate === undefined ? {} : { cert: access.clientCertificate }),
    ...(access.clientKey === undefined ? {} : { key: access.clientKey }),
    ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
    rejectUnauthorized: access.insecureSkipTlsVerify !== true,
  };
}

export function createHttp1Transport(access: ServerAccess, options: Http1Options = {}): Transport {
  const base = serverUrl(access.server);
  const secure = base.protocol === "https:";
  const agent = secure
    ? new TlsAgent({ keepAlive: true, maxSockets: socketsMax, ...tlsOptions(access) })
    : new PlainAgent({ keepAlive: true, maxSockets: socketsMax });
  const prefix = base.pathname.replace(/\/$/, "");

  function request(api: ApiRequest): Promise<ApiResponse> {
    const { [sharedObjectsHeader]: _inProcessOnly, ...headers } = api.headers;
    const path = prefix + (api.query === "" ? api.path : `${api.path}?${api.query}`);
    const body =
      api.body === undefined || Buffer.isBuffer(api.body) ? api.body : Buffer.from(JSON.stringify(api.body));
    const settings: RequestOptions = {
      agent,
      method: api.method,
      hostname: base.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: base.port === "" ? (secure ? 443 : 80) : base.port,
      path,
      headers: {
        ...headers,
        ...(access.token === undefined || headers["authorization"] !== undefined
          ? {}
          : { authorization: `Bearer ${access.token}` }),
        ...(options.headers as Record<string, string | string[]> | undefined),
        ...(body === undefined ? {} : { "content-length": String(body.length) }),
      },
      ...(api.signal === undefined ? {} : { signal: api.signal }),
    };
    return new Promise((resolve, reject) => {
      let answered: IncomingMessage | undefined;
      const sent = (secure ? tlsRequest : plainRequest)(settings, (answer) => {
        answered = answer;
        resolve(responseOf(answer));
      });
      sent.on("error", (error) =>
        reject(
          api.signal?.aborted === true
            ? error
            : new ConnectionError(error, { address: base.host, url: base.origin + path, method: api.method }),
        ),
      );
      if (options.timeoutMs) {
        const late = setTimeout(() => {
          const error = Object.assign(new Error("timed out"), { code: "ETIMEDOUT" });
          if (!answered) sent.destroy(error);
          answered?.destroy(error);
        }, options.timeoutMs);
        late.unref();
        sent.once("close", () => clearTimeout(late));
      }
      sent.end(body);
    });
  }

  return {
    request,
    close() {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

function responseOf(answer: IncomingMessage): ApiResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return {
    status: answer.statusCode ?? 0,
    headers,
    body: { kind: "stream", chunks: answer as AsyncIterable<Buffer> },
  };
}
