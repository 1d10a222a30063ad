// The API server as clients meet it: a control plane in this process, reached over TLS (HTTP/2 and HTTP/1.1) and
// over `direct`. Only the controllers that make a cluster usable run, so that nothing writes when no test does.

import { Agent, request as httpsRequest } from "node:https";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, silentLogger } from "#base/log.ts";
import { collectBody } from "#client/body.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import type { ServerAccess } from "#client/kubeconfig.ts";
import {
  admissionPluginNames,
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from "#compose/control-plane.ts";
import type { ApiResponse, Caller, Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";

export const admin: Caller = { name: "admin", groups: ["system:masters", "system:authenticated"] };
export const transportNames = ["https", "http/1.1", "direct"] as const;
export type TransportName = (typeof transportNames)[number];

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; anything else fails the test that looks at it. */
  readonly json: any;
}

export interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Api {
  readonly plane: ControlPlane;
  readonly url: string;
  readonly access: ServerAccess;
  /** The store's newest revision. */
  revision(): Promise<number>;
  transport(name: TransportName): Transport;
  /** Over TLS, as somebody else. */
  as(access: Omit<ServerAccess, "server" | "certificateAuthority">): Transport;
  stop(): Promise<void>;
}

/** Callers whom a static token names. */
export const tokens: ReadonlyMap<string, Caller> = new Map([
  ["alice-token", { name: "alice", groups: ["staff", "system:authenticated"] }],
]);

export async function startApi(options: Partial<ControlPlaneOptions> = {}): Promise<Api> {
  const dataDir = await mkdtemp(join(tmpdir(), "leme-api-"));
  const plane = await startControlPlane({
    dataDir,
    store: { engine: "memory" },
    bindAddress: "127.0.0.1",
    securePort: 0,
    advertiseAddress: "127.0.0.1",
    clusterName: "test",
    serviceClusterIpRange: "10.96.0.0/16",
    serviceNodePortRange: { from: 30_000, to: 32_767 },
    clusterDns: "10.96.0.10",
    authorizationModes: ["Node", "RBAC"],
    admissionPlugins: new Set(admissionPluginNames),
    tokens,
    defaultTolerationSeconds: { notReady: 300, unreachable: 300 },
    controllers: [
      "serviceaccount-controller",
      "root-ca-certificate-publisher-controller",
      "namespace-controller",
    ],
    extraNames: [],
    log: process.env["LEME_TEST_LOG"] === undefined ? silentLogger : createLogger({ level: "debug" }),
    ...options,
  });
  const { authority, admin: certificate } = plane.pki;
  const url = `https://127.0.0.1:${plane.port}`;
  const access: ServerAccess = {
    server: url,
    certificateAuthority: authority.certificate,
    clientCertificate: certificate.certificate,
    clientKey: certificate.key,
  };
  const open: Transport[] = [];
  const keep = (transport: Transport): Transport => {
    open.push(transport);
    return transport;
  };
  const direct = plane.server.direct(admin);
  const api: Api = {
    plane,
    url,
    access,
    async revision() {
      const { json } = await ask(direct, "GET", "/api/v1/configmaps?limit=1");
      return Number(json.metadata.resourceVersion);
    },
    transport: (name) =>
      name === "direct"
        ? direct
        : keep(name === "https" ? createHttpsTransport(access) : createHttp1Transport(access)),
    as: (other) =>
      keep(createHttpsTransport({ server: url, certificateAuthority: authority.certificate, ...other })),
    async stop() {
      plane.server.check();
      await Promise.all(open.map((transport) => transport.close()));
      await plane.stop();
      await rm(dataDir, { recursive: true });
    },
  };
  await eventually(() => isSettled(direct));
  return api;
}

/** Everything that a cluster starts with is there. */
async function isSettled(transport: Transport): Promise<boolean> {
  const count = async (path: string): Promise<number> =>
    (await ask(transport, "GET", path)).json.items.length;
  const dns = await ask(transport, "GET", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices");
  return (
    (await count("/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault")) === 4 &&
    (await count("/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt")) === 4 &&
    dns.json.items.length === 1
  );
}

/** The plain transport of clients without HTTP/2. */
export function createHttp1Transport(access: Partial<ServerAccess> & { server: string }): Transport {
  const { hostname, port } = new URL(access.server);
  const agent = new Agent({
    keepAlive: true,
    ca: access.certificateAuthority,
    cert: access.clientCertificate,
    key: access.clientKey,
  });
  return {
    request: ({ method, path, query, headers, body, signal }) =>
      new Promise<ApiResponse>((resolve, reject) => {
        // Not as a URL: that would tidy the path up.
        const outgoing = httpsRequest({
          host: hostname,
          port,
          path: query === "" ? path : `${path}?${query}`,
          method,
          // Node's client leaves the length out for methods that usually have no body.
          headers: { ...headers, ...(Buffer.isBuffer(body) ? { "content-length": body.length } : {}) },
          agent,
          ...(signal === undefined ? {} : { signal }),
        });
        outgoing.on("error", reject);
        outgoing.on("response", (incoming) => {
          const received: Record<string, string> = {};
          for (const [name, value] of Object.entries(incoming.headers))
            received[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
          resolve({
            status: incoming.statusCode ?? 0,
            headers: received,
            body: { kind: "stream", chunks: incoming as AsyncIterable<Buffer> },
          });
        });
        outgoing.end(body);
      }),
    close: () => Promise.resolve(agent.destroy()),
  };
}

const bytesOf = (body: unknown): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));

function requestOf(method: string, url: string, { body, headers, signal }: Ask) {
  const at = url.indexOf("?");
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? "" : url.slice(at + 1),
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: bytesOf(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

export async function ask(
  transport: Transport,
  method: string,
  url: string,
  options: Ask = {},
): Promise<Answer> {
  const response = await transport.request(requestOf(method, url, options));
  const bytes = await collectBody(response.body);
  const text = bytes.toString();
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}

export interface SeenEvent {
  readonly type: string;
  readonly object: any;
}

/** A watch as a test reads it: event by event, until it is stopped or the server ends it. */
export interface Watching {
  /** The next event; undefined when the server has ended the watch. */
  next(): Promise<SeenEvent | undefined>;
  stop(): void;
}

export async function watch(transport: Transport, url: string, options: Ask = {}): Promise<Watching> {
  const abort = new AbortController();
  const response = await transport.request(requestOf("GET", url, { ...options, signal: abort.signal }));
  if (response.status !== 200)
    throw new Error(`watch answered ${response.status}: ${(await collectBody(response.body)).toString()}`);
  const events = eventsOf(response);
  return {
    async next() {
      const { value, done } = await events.next();
      return done === true ? undefined : (value as SeenEvent);
    },
    stop: () => abort.abort(),
  };
}

async function* eventsOf({ body }: ApiResponse): AsyncGenerator<SeenEvent> {
  if (body.kind !== "stream") throw new Error(`a watch streams, but this is ${body.kind}`);
  let pending = "";
  for await (const chunk of body.chunks) {
    pending += chunk.toString();
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as SeenEvent;
  }
}
