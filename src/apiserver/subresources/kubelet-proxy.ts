// Streams to nodes and pods: log, exec, attach, portforward go to the kubelet of the pod's node, over TLS, as the
// API server's own client; proxy goes to the pod, Service or node itself. Bytes are piped both ways, unread.

import { connect as connectTcp } from "node:net";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import type { Duplex } from "node:stream";
import type { ApiResponse } from "#machinery/api-request.ts";
import { collectBody } from "#client/body.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { badRequest, failure, internalError, serviceUnavailable } from "#machinery/status.ts";
import type { KeyPair } from "#pki/certificates.ts";
import type { ResourceContext } from "../context.ts";
import { hollowLabel } from "#resources/core/hollow-label.ts";
import { storageKey } from "../stored-object.ts";
import { current, namespaceOf } from "../write.ts";
import type { SubresourceHandler } from "./contract.ts";

export interface KubeletAccess {
  /** Verifies kubelets; their certificates name their node. */
  readonly authority: string;
  readonly client: KeyPair;
}

const kubeletPort = 10250;
const connectTimeoutMs = 10_000;
/** Of the words by which a kubelet refuses. */
const refusalBytesMax = 2048;
/** Headers that belong to one connection, or that say who the caller is: the next hop gets its own. */
const dropped = new Set([
  "authorization",
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "content-length",
]);

interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    containers?: { name: string; ports?: { containerPort: number }[] }[];
    initContainers?: { name: string }[];
    ephemeralContainers?: { name: string }[];
  };
  status?: { podIP?: string };
}
interface Node extends KubeObject {
  status?: {
    addresses?: { type: string; address: string }[];
    daemonEndpoints?: { kubeletEndpoint?: { Port?: number } };
  };
}

interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

function forwardHeaders(context: ResourceContext): Record<string, string> {
  return Object.fromEntries(
    Object.entries(context.request.headers).filter(([name]) => !dropped.has(name) && !name.startsWith(":")),
  );
}

function tlsOptions(access: KubeletAccess, node: string) {
  return { ca: access.authority, cert: access.client.certificate, key: access.client.key, servername: node };
}

/** Sends a plain request on and streams the answer back. */
function forward(
  context: ResourceContext,
  target: Target,
  access: KubeletAccess | undefined,
  node = "",
): Promise<ApiResponse> {
  const { request } = context;
  return new Promise((resolve, reject) => {
    const options = {
      host: target.host,
      port: target.port,
      path: target.path,
      method: request.method,
      headers: forwardHeaders(context),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    const outgoing =
      target.secure && access !== undefined
        ? httpsRequest({ ...options, ...tlsOptions(access, node), agent: false })
        : target.secure
          ? httpsRequest({ ...options, rejectUnauthorized: false, agent: false })
          : httpRequest({ ...options, agent: false });
    outgoing.setTimeout(connectTimeoutMs, () => {
      if (!outgoing.destroyed && outgoing.socket?.connecting !== false)
        outgoing.destroy(new Error("connecting timed out"));
    });
    outgoing.on("error", (error) =>
      reject(serviceUnavailable(`error trying to reach service: ${error.message}`)),
    );
    outgoing.on("response", (incoming) => resolve(asResponse(incoming)));
    outgoing.end(Buffer.isBuffer(request.body) ? request.body : undefined);
  });
}

function asResponse(incoming: IncomingMessage): ApiResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (!dropped.has(name) && value !== undefined)
      headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    status: incoming.statusCode ?? 502,
    headers,
    body: { kind: "stream", chunks: incoming as AsyncIterable<Buffer> },
  };
}

const isUpgrade = (context: ResourceContext): boolean =>
  /\bupgrade\b/i.test(context.request.headers["connection"] ?? "");

/** Repeats the caller's upgrade request to the target and joins the two connections. */
function upgrade(
  context: ResourceContext,
  target: Target,
  access: KubeletAccess | undefined,
  node = "",
): ApiResponse {
  const { request } = context;
  const headers = {
    ...forwardHeaders(context),
    connection: "Upgrade",
    upgrade: request.headers["upgrade"] ?? "",
    host: `${target.host}:${target.port}`,
  };
  const head = `${request.method} ${target.path} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
  const handle = (socket: Duplex, early: Buffer): void => {
    const out = target.secure
      ? connectTls({
          host: target.host,
          port: target.port,
          ...(access === undefined ? { rejectUnauthorized: false } : tlsOptions(access, node)),
        })
      : connectTcp(target.port, target.host);
    let connected = false;
    const refuse = (error: Error): void => {
      if (!connected && !socket.destroyed) {
        const body = JSON.stringify(internalError(`error dialing backend: ${error.message}`).status);
        socket.end(
          `HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
      } else socket.destroy();
      out.destroy();
    };
    const timer = setTimeout(() => refuse(new Error("timed out")), connectTimeoutMs);
    out.once(target.secure ? "secureConnect" : "connect", () => {
      connected = true;
      clearTimeout(timer);
      out.write(head);
      if (early.length > 0) out.write(early);
      out.pipe(socket);
      socket.pipe(out);
    });
    out.on("error", refuse);
    socket.on("error", () => out.destroy());
    socket.on("close", () => out.destroy());
    out.on("close", () => {
      clearTimeout(timer);
      socket.end();
    });
  };
  return { status: 101, headers: {}, body: { kind: "upgrade", handle } };
}

const nodes = { group: "", resource: "nodes" };

const cachedNode = ({ server }: ResourceContext, name: string): Node | undefined =>
  server.caches.of(nodes).get(storageKey(nodes, "", name))?.object;

/** Nothing answers at the addresses of a hollow node and of its pods, and nothing is sent there. */
function checkReal(context: ResourceContext, name: string): void {
  if (cachedNode(context, name)?.metadata?.labels?.[hollowLabel] !== undefined)
    throw serviceUnavailable(`node ${JSON.stringify(name)} is hollow: it runs nothing that could answer`);
}

function nodeOf(context: ResourceContext, name: string): { host: string; port: number } {
  checkReal(context, name);
  const node = cachedNode(context, name);
  const host = node?.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  if (host === undefined)
    throw failure(
      500,
      "InternalError",
      `no preferred addresses found for node ${JSON.stringify(name)}; known addresses: []`,
    );
  return { host, port: node?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? kubeletPort };
}

/** The container that is meant: the one named, or the only one. */
function containerOf(pod: Pod, wanted: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const name = pod.metadata?.name ?? "";
  if (wanted !== "") {
    if ([...containers, ...initContainers, ...ephemeralContainers].some((one) => one.name === wanted))
      return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  if (containers.length === 1) return (containers[0] as { name: string }).name;
  const names = containers.map((one) => one.name).join(" ");
  const inits =
    initContainers.length === 0
      ? ""
      : ` or one of the init containers: [${initContainers.map((one) => one.name).join(" ")}]`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names}]${inits}`);
}

const kubeletPaths: Readonly<Record<string, string>> = {
  log: "containerLogs",
  exec: "exec",
  attach: "attach",
  portforward: "portForward",
};
/** PodExecOptions → the kubelet's own names. */
const streamParameters: Readonly<Record<string, string>> = {
  stdin: "input",
  stdout: "output",
  stderr: "error",
  tty: "tty",
};

function kubeletQuery(subresource: string, query: URLSearchParams): string {
  const out = new URLSearchParams();
  for (const [name, value] of query) {
    if (name === "container") continue;
    if (subresource === "log" || subresource === "portforward") out.append(name, value);
    else if (name === "command") out.append(name, value);
    else if (streamParameters[name] !== undefined && (value === "true" || value === "1"))
      out.append(streamParameters[name], "1");
  }
  return out.toString();
}

/** Kubelets refuse in plain text; clients of the API get a Status with the same words. */
async function checked(response: ApiResponse): Promise<ApiResponse> {
  if (response.status < 400) return response;
  const text = (await collectBody(response.body)).toString("utf8", 0, refusalBytesMax).trim();
  if (response.status === 400) throw badRequest(text);
  if (response.status === 404)
    throw failure(404, "NotFound", `the server could not find the requested resource: ${text}`);
  throw internalError(text);
}

/** pods/NAME/{log,exec,attach,portforward} */
export function podStreams(access: KubeletAccess): SubresourceHandler {
  return async (context) => {
    const { info, query } = context;
    const pod = (await current(context, namespaceOf(context), info.name)).object as Pod;
    const { namespace = "", name = "" } = pod.metadata ?? {};
    const node = pod.spec?.nodeName ?? "";
    const needsContainer = info.subresource !== "portforward";
    const container = needsContainer ? containerOf(pod, query.get("container") ?? "") : "";
    if (node === "") {
      if (info.subresource === "log")
        return { status: 200, headers: { "content-type": "text/plain" }, body: { kind: "empty" } };
      throw badRequest(`pod ${name} does not have a host assigned`);
    }
    const { host, port } = nodeOf(context, node);
    const search = kubeletQuery(info.subresource, query);
    const path = `/${kubeletPaths[info.subresource]}/${namespace}/${name}${needsContainer ? `/${container}` : ""}${search === "" ? "" : `?${search}`}`;
    const target: Target = { secure: true, host, port, path };
    if (info.subresource === "log") return checked(await forward(context, target, access, node));
    if (!isUpgrade(context)) throw badRequest("Upgrade request required");
    return upgrade(context, target, access, node);
  };
}

function proxied(
  context: ResourceContext,
  target: Omit<Target, "path">,
  access?: KubeletAccess,
  node?: string,
): Promise<ApiResponse> | ApiResponse {
  const { info, request } = context;
  const full = {
    ...target,
    path: `${info.rest === "" ? "/" : info.rest}${request.query === "" ? "" : `?${request.query}`}`,
  };
  return isUpgrade(context) ? upgrade(context, full, access, node) : forward(context, full, access, node);
}

/** `[scheme:]name[:port]`, as the proxy subresources name their targets. */
export function parseProxyName(text: string): { secure: boolean; name: string; port: string } {
  const parts = text.split(":");
  if (parts.length === 3)
    return { secure: parts[0] === "https", name: parts[1] as string, port: parts[2] as string };
  return { secure: false, name: parts[0] as string, port: parts[1] ?? "" };
}

/** Loopback and link-local addresses belong to this machine and its cloud, not to pods. */
function checkAddress(address: string): string {
  if (/^(127\.|169\.254\.|::1$|fe80:|0\.)/i.test(address))
    throw failure(403, "Forbidden", `address not allowed`);
  return address;
}

export const podProxy: SubresourceHandler = async (context) => {
  const { secure, name, port } = parseProxyName(context.info.name);
  const pod = (await current(context, namespaceOf(context), name)).object as Pod;
  const first = pod.spec?.containers?.flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const ip = pod.status?.podIP;
  if (!ip) throw serviceUnavailable(`pod ${name} has no address yet`);
  checkReal(context, pod.spec?.nodeName ?? "");
  return proxied(context, {
    secure,
    host: checkAddress(ip),
    port: Number(port || first || (secure ? 443 : 80)),
  });
};

interface Slice extends KubeObject {
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean }; nodeName?: string }[];
  ports?: { name?: string; port?: number }[];
}
interface Service extends KubeObject {
  spec?: { ports?: { name?: string; port: number }[] };
}

export const serviceProxy: SubresourceHandler = async (context) => {
  const { server } = context;
  const { secure, name, port } = parseProxyName(context.info.name);
  const service = (await current(context, namespaceOf(context), name)).object as Service;
  const ports = service.spec?.ports ?? [];
  const chosen =
    port === ""
      ? ports.length === 1
        ? ports[0]
        : undefined
      : ports.find((one) => one.name === port || String(one.port) === port);
  if (chosen === undefined)
    throw serviceUnavailable(
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
    );
  const candidates: { host: string; port: number; node: string }[] = [];
  const prefix = `/registry/discovery.k8s.io/endpointslices/${namespaceOf(context)}/`;
  for (const cached of server.caches
    .of({ group: "discovery.k8s.io", resource: "endpointslices" })
    .range(prefix, `${prefix.slice(0, -1)}0`)) {
    const slice = cached.object as Slice;
    if (slice.metadata?.labels?.["kubernetes.io/service-name"] !== name) continue;
    const target = slice.ports?.find((one) => (one.name ?? "") === (chosen.name ?? ""))?.port;
    if (target === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready !== false && endpoint.addresses[0] !== undefined)
        candidates.push({ host: endpoint.addresses[0], port: target, node: endpoint.nodeName ?? "" });
    }
  }
  if (candidates.length === 0)
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const pick = candidates[server.random.integer(candidates.length)] as (typeof candidates)[number];
  checkReal(context, pick.node);
  return proxied(context, { secure, port: pick.port, host: checkAddress(pick.host) });
};

export function nodeProxy(access: KubeletAccess): SubresourceHandler {
  return async (context) => {
    const { name, port } = parseProxyName(context.info.name);
    await current(context, "", name);
    const node = nodeOf(context, name);
    const own = port === "" || Number(port) === node.port;
    return proxied(
      context,
      { secure: own, host: node.host, port: own ? node.port : Number(port) },
      own ? access : undefined,
      name,
    );
  };
}
