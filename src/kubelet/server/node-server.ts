// The kubelet's own HTTPS server on :10250, which the API server asks for logs, streams and figures.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { toError } from "#base/assert.ts";
import { isCriError } from "#cri/errors.ts";
import type { StreamFlags } from "#cri/messages.ts";
import type { NodeContext } from "../node-context.ts";
import type { PodManager } from "../pod-manager.ts";
import type { PodWorker } from "../pod-worker.ts";
import { readLog } from "../logs/log-reader.ts";
import { authorize } from "./authorize.ts";
import { logOptions, logTarget } from "./container-logs.ts";
import { machineFacts } from "../machine-facts.ts";
import { nodeLabel } from "../plan/sandbox-config.ts";
import { usageOfContainer, usageOfMachine } from "./container-usage.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { StatsCollector } from "./stats-summary.ts";
import { mustRefuse, proxyUpgrade, refuse } from "./stream-proxy.ts";

export interface NodeServerOptions {
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
  readonly dataDir: string;
}

export interface NodeServer {
  readonly port: number;
  close(): Promise<void>;
}

class RequestError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const isTrue = (query: URLSearchParams, ...names: readonly string[]): boolean =>
  names.some((name) => query.get(name) === "1" || query.get(name) === "true");

/** Documented names of the kubelet, and those of the API server's own subresources. */
function streamFlags(query: URLSearchParams): StreamFlags {
  const tty = isTrue(query, "tty");
  return {
    tty,
    stdin: isTrue(query, "input", "stdin"),
    stdout: isTrue(query, "output", "stdout"),
    // A terminal has one output.
    stderr: !tty && isTrue(query, "error", "stderr"),
  };
}

interface Route {
  readonly name: string;
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function parse(request: IncomingMessage): Route {
  const url = new URL(request.url ?? "/", "https://kubelet");
  const [name = "", ...parts] = url.pathname.split("/").slice(1).map(decodeURIComponent);
  return { name, parts, query: url.searchParams };
}

/** Which part of `nodes` the caller must be allowed to use. */
function subresourceOf(name: string): string {
  switch (name) {
    case "stats":
    case "metrics":
      return name;
    case "healthz":
      return "healthz";
    case "pods":
    case "runningpods":
      return "pods";
    default:
      return "proxy";
  }
}

export async function startNodeServer(
  options: NodeServerOptions,
  context: NodeContext,
  pods: PodManager,
): Promise<NodeServer> {
  const handlers = new Handlers(context, pods, options.dataDir);
  const server: Server = createServer({
    cert: options.certificate,
    key: options.key,
    ca: options.clientCa,
    requestCert: true,
    // Callers without a certificate get an answer, not a broken handshake.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
  });
  server.on("request", (request, response) => void handlers.request(request, response));
  server.on("upgrade", (request, socket, head) => void handlers.upgrade(request, socket, head));
  server.on("tlsClientError", (error) => context.log.debug("a TLS handshake failed", { error }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.address, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        handlers.closeStreams();
      }),
  };
}

class Handlers {
  readonly #context: NodeContext;
  readonly #pods: PodManager;
  readonly #dataDir: string;
  readonly #stats: StatsCollector;
  readonly #streams = new Set<Duplex>();

  constructor(context: NodeContext, pods: PodManager, dataDir: string) {
    this.#context = context;
    this.#pods = pods;
    this.#dataDir = dataDir;
    this.#stats = new StatsCollector(context);
  }

  closeStreams(): void {
    for (const socket of this.#streams) socket.destroy();
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const route = parse(request);
      const verdict = authorize(
        request.socket as TLSSocket,
        request.method ?? "GET",
        subresourceOf(route.name),
      );
      if (!verdict.allowed) throw new RequestError(verdict.status, verdict.message);
      await this.#answer(route, response);
    } catch (thrown) {
      this.#fail(response, thrown);
    }
  }

  #fail(response: ServerResponse, thrown: unknown): void {
    const error = toError(thrown);
    const status = error instanceof RequestError ? error.status : error instanceof URIError ? 400 : 500;
    if (status === 500) this.#context.log.warn("a request to the kubelet failed", { error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
    response.end(error.message);
  }

  async #answer(route: Route, response: ServerResponse): Promise<void> {
    switch (route.name) {
      case "healthz":
        response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
        response.end("ok");
        return;
      case "pods":
        this.#json(response, {
          kind: "PodList",
          apiVersion: "v1",
          metadata: {},
          items: [...this.#pods.workers()].map(({ pod }) => pod),
        });
        return;
      case "runningpods":
        this.#json(response, {
          kind: "PodList",
          apiVersion: "v1",
          metadata: {},
          items: [...this.#pods.workers()]
            .filter(({ observed }) => observed.containers.some(({ state }) => state === "running"))
            .map(({ pod }) => ({ metadata: pod.metadata, spec: pod.spec })),
        });
        return;
      case "stats":
        if (route.parts[0] !== "summary") break;
        this.#json(response, await this.#stats.summary(this.#dataDir));
        return;
      case "metrics":
        if (route.parts[0] !== "resource") break;
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
        response.end(await this.#resourceMetrics());
        return;
      case "containerLogs":
        await this.#logs(route, response);
        return;
      case "exec":
      case "attach":
      case "portForward":
        throw new RequestError(400, "Upgrade request required");
    }
    throw new RequestError(404, "404 page not found");
  }

  async #resourceMetrics(): Promise<string> {
    const { runtime, nodeName, clock } = this.#context;
    const startedAtMs = new Map<string, number>();
    for (const { observed } of this.#pods.workers())
      for (const { id, startedAtMs: ms } of observed.containers) startedAtMs.set(id, ms);
    const stats = await runtime.listContainerStats({ labels: { [nodeLabel]: nodeName } });
    return resourceMetrics(
      usageOfMachine(machineFacts(this.#dataDir), clock.now()),
      stats.map((one) => usageOfContainer(one, startedAtMs)),
    );
  }

  #json(response: ServerResponse, body: object): void {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  }

  #worker(namespace: string | undefined, name: string | undefined): PodWorker {
    const worker = this.#pods.find(namespace ?? "", name ?? "");
    if (worker === undefined) throw new RequestError(404, "pod does not exist");
    return worker;
  }

  async #logs({ parts, query }: Route, response: ServerResponse): Promise<void> {
    const { clock, settings } = this.#context;
    const [namespace, name, container = ""] = parts;
    const worker = this.#worker(namespace, name);
    const asked = logOptions(query, clock.now());
    if ("message" in asked) throw new RequestError(422, asked.message);
    const target = logTarget(worker.current, worker.observed, container, asked.previous, settings.logRoot);
    if ("status" in target) throw new RequestError(target.status, target.message);
    const abort = new AbortController();
    response.on("close", () => abort.abort());
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders();
    const { id } = target.container;
    const source = {
      path: target.path,
      clock,
      signal: abort.signal,
      isWriting: () => worker.observed.containers.some((run) => run.id === id && run.state === "running"),
    };
    for await (const chunk of readLog(source, asked.options)) {
      if (abort.signal.aborted) return;
      if (!response.write(chunk))
        await new Promise<void>((resolve) => {
          response.once("drain", resolve);
          response.once("close", resolve);
        });
    }
    response.end();
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#streams.add(socket);
    socket.on("close", () => this.#streams.delete(socket));
    socket.on("error", () => socket.destroy());
    try {
      const route = parse(request);
      const verdict = authorize(
        request.socket as TLSSocket,
        request.method ?? "GET",
        subresourceOf(route.name),
      );
      if (!verdict.allowed)
        return refuse(
          socket,
          verdict.status,
          verdict.status === 401 ? "Unauthorized" : "Forbidden",
          verdict.message,
        );
      if (mustRefuse(request))
        return refuse(
          socket,
          403,
          "Forbidden",
          "this WebSocket protocol version is not spoken here; use SPDY",
        );
      const url = new URL(await this.#streamUrl(route));
      (socket as TLSSocket).setNoDelay(true);
      proxyUpgrade(request, socket, head, url);
    } catch (thrown) {
      const error = toError(thrown);
      const status = error instanceof RequestError ? error.status : isCriError(error, "NotFound") ? 404 : 500;
      refuse(
        socket,
        status,
        status === 404 ? "Not Found" : status === 400 ? "Bad Request" : "Internal Server Error",
        error.message,
      );
    }
  }

  /** Asks the runtime for a place where it will serve this one stream. */
  async #streamUrl({ name, parts, query }: Route): Promise<string> {
    const { runtime } = this.#context;
    const [namespace, pod] = parts;
    const worker = this.#worker(namespace, pod);
    if (name === "portForward") {
      const sandbox = worker.observed.sandboxes[0];
      if (sandbox === undefined || !sandbox.ready) throw new RequestError(404, "pod is not running");
      const ports = [
        ...query.getAll("port"),
        ...query.getAll("ports").flatMap((text) => text.split(",")),
      ].map(Number);
      if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535))
        throw new RequestError(400, "invalid port");
      return runtime.portForward(sandbox.id, ports);
    }
    if (name !== "exec" && name !== "attach") throw new RequestError(404, "404 page not found");
    // The pod's uid may stand between its name and the container.
    const container = parts.at(-1) ?? "";
    const running = worker.observed.containers.find((run) => run.name === container);
    if (running?.state !== "running") throw new RequestError(404, `container not found ("${container}")`);
    const flags = streamFlags(query);
    if (!flags.stdin && !flags.stdout && !flags.stderr)
      throw new RequestError(400, "you must specify at least 1 of stdin, stdout, stderr");
    if (name === "attach") return runtime.attach(running.id, flags);
    const command = query.getAll("command");
    if (command.length === 0) throw new RequestError(400, "you must specify at least one command");
    return runtime.exec(running.id, command, flags);
  }
}
