// Cluster DNS: UDP and TCP around the pure answers, from this node's own copy of Services and slices,
// so that names resolve while the control plane is away. Other names go to the upstream resolvers.

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { createServer, connect, type Server, type Socket as TcpSocket } from "node:net";
import packet from "dns-packet";
import { toError } from "#base/assert.ts";
import { EndpointSlices, Namespaces, Services } from "#client/refs.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { Namespace, Service } from "#machinery/gen/types/core-v1.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { answer, endpointLabel, type ZoneView } from "./records.ts";

export interface DnsOptions {
  /** Addresses to answer on. */
  readonly addresses: readonly string[];
  readonly port?: number;
  /** `cluster.local` */
  readonly zone: string;
  /** Resolvers for everything else, in order of preference. */
  readonly upstreams: readonly string[];
  readonly upstreamPort?: number;
}

const udpSizeMax = 4096;
const plainUdpSize = 512;
const tcpIdleMs = 10_000;
const tcpConnectionsMax = 256;
const upstreamTimeoutMs = 2_000;
/** Questions that wait for an upstream at one time; more are refused, so that a dead upstream costs no memory. */
const forwardedMax = 1_000;

const opcodeBits = 0x7800;
const authoritative = 1 << 10;
const recursionAvailable = 1 << 7;
const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** The view over informers, with the indexes that reverse questions need. */
export function createZoneView(informers: InformerFactory): { view: ZoneView; synced: Promise<void> } {
  const services = informers.informer<Service>(Services);
  const slices = informers.informer<EndpointSlice>(EndpointSlices);
  const namespaces = informers.informer<Namespace>(Namespaces);
  services.addIndex("cluster-ip", (service) => service.spec?.clusterIPs ?? []);
  slices.addIndex("service-name", (slice) => {
    const service = slice.metadata?.labels?.["kubernetes.io/service-name"];
    return service === undefined ? [] : [`${slice.metadata?.namespace ?? ""}/${service}`];
  });
  slices.addIndex("address", (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
  const view: ZoneView = {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    slices: (namespace, name) => slices.byIndex("service-name", `${namespace}/${name}`),
    namespaceExists: (namespace) => namespaces.get(namespace) !== undefined,
    serviceByIp: (ip) => {
      const [service] = services.byIndex("cluster-ip", ip);
      return service === undefined
        ? undefined
        : { namespace: service.metadata?.namespace ?? "", name: service.metadata?.name ?? "" };
    },
    endpointByIp: (ip) => {
      for (const slice of slices.byIndex("address", ip)) {
        const namespace = slice.metadata?.namespace ?? "";
        const service = slice.metadata?.labels?.["kubernetes.io/service-name"] ?? "";
        // Only headless Services give their endpoints names of their own.
        if (services.get(`${namespace}/${service}`)?.spec?.clusterIP !== "None") continue;
        const endpoint = slice.endpoints?.find((one) => one.addresses.includes(ip));
        if (endpoint !== undefined) return { namespace, service, hostname: endpointLabel(endpoint) };
      }
      return undefined;
    },
  };
  const synced = Promise.all([services.waitForSync(), slices.waitForSync(), namespaces.waitForSync()]).then(
    () => undefined,
  );
  return { view, synced };
}

interface Query {
  readonly message: Buffer;
  readonly overTcp: boolean;
}

export function startDns(
  options: DnsOptions,
  deps: Pick<Deps, "log" | "clock">,
  informers: InformerFactory,
): Component {
  const { addresses, port = 53, zone, upstreams, upstreamPort = 53 } = options;
  const log = deps.log.with({ component: "dns" });
  const { view, synced } = createZoneView(informers);
  const closers: (() => Promise<void>)[] = [];
  let forwarded = 0;
  let stopped = false;

  async function respond({ message, overTcp }: Query): Promise<Buffer | undefined> {
    let query: packet.Packet;
    try {
      query = packet.decode(message);
    } catch {
      return undefined; // not a DNS message: nobody waits for an answer that could be formed
    }
    const question = query.questions?.[0];
    if (query.type !== "query" || question === undefined) return undefined;
    if (((query.flags ?? 0) & opcodeBits) !== 0) return reply(query, { rcode: "NOTIMP" });
    const ours = answer(view, zone, question.name.toLowerCase().replace(/\.$/, ""), question.type);
    if (ours === undefined) return forward(message, query, overTcp);
    const encoded = reply(query, ours);
    const limit = overTcp ? 65535 : udpLimit(query);
    return encoded.length <= limit ? encoded : reply(query, { rcode: ours.rcode }, true);
  }

  async function forward(message: Buffer, query: packet.Packet, overTcp: boolean): Promise<Buffer> {
    if (upstreams.length === 0 || forwarded >= forwardedMax) return reply(query, { rcode: "REFUSED" });
    forwarded++;
    try {
      for (const upstream of upstreams) {
        try {
          return await (overTcp ? askTcp : askUdp)(upstream, upstreamPort, message);
        } catch (thrown) {
          log.debug("upstream did not answer", { upstream, error: toError(thrown) });
        }
      }
      return reply(query, { rcode: "SERVFAIL" });
    } finally {
      forwarded--;
    }
  }

  async function listen(address: string): Promise<void> {
    const udp = createSocket({ type: address.includes(":") ? "udp6" : "udp4", reuseAddr: true });
    udp.on("message", (message, from) => void answerUdp(udp, message, from, respond));
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(port, address, resolve);
    });
    udp.on("error", (error) => log.warn("udp", { error }));
    const tcp = createServer((socket) => serveTcp(socket, respond));
    tcp.maxConnections = tcpConnectionsMax;
    await new Promise<void>((resolve, reject) => {
      tcp.once("error", reject);
      tcp.listen(port, address, resolve);
    });
    closers.push(() => closeBoth(udp, tcp));
  }

  const ready = Promise.all([synced, ...addresses.map(listen)]).then(() => undefined);
  const done = Promise.withResolvers<void>();
  return {
    name: "dns",
    ready,
    done: done.promise,
    async stop() {
      if (stopped) return;
      stopped = true;
      await Promise.all(closers.map((close) => close()));
      done.resolve();
    },
  };
}

function udpLimit(query: packet.Packet): number {
  const opt = query.additionals?.find((one) => one.type === "OPT") as { udpPayloadSize?: number } | undefined;
  return Math.min(udpSizeMax, Math.max(plainUdpSize, opt?.udpPayloadSize ?? plainUdpSize));
}

function reply(
  query: packet.Packet,
  answered: {
    rcode: keyof typeof rcodes;
    answers?: readonly unknown[];
    additionals?: readonly unknown[];
    authorities?: readonly unknown[];
  },
  truncated = false,
): Buffer {
  const recursionDesired = (query.flags ?? 0) & packet.RECURSION_DESIRED;
  const flags =
    authoritative |
    recursionDesired |
    recursionAvailable |
    (truncated ? packet.TRUNCATED_RESPONSE : 0) |
    rcodes[answered.rcode];
  const asked = query.additionals?.find((one) => one.type === "OPT");
  const opt =
    asked === undefined
      ? []
      : [{ type: "OPT", name: ".", udpPayloadSize: udpSizeMax, flags: 0, options: [] }];
  return packet.encode({
    type: "response",
    id: query.id ?? 0,
    flags,
    questions: query.questions ?? [],
    answers: (answered.answers ?? []) as packet.Answer[],
    authorities: (answered.authorities ?? []) as packet.Answer[],
    additionals: [...(answered.additionals ?? []), ...opt] as packet.Answer[],
  });
}

async function answerUdp(
  socket: Socket,
  message: Buffer,
  from: RemoteInfo,
  respond: (query: Query) => Promise<Buffer | undefined>,
): Promise<void> {
  const response = await respond({ message, overTcp: false });
  // The client may be gone; UDP promises nothing, so a failed send is not reported.
  if (response !== undefined) socket.send(response, from.port, from.address, () => undefined);
}

/** Length-prefixed messages, answered in order, several per connection. */
function serveTcp(socket: TcpSocket, respond: (query: Query) => Promise<Buffer | undefined>): void {
  let pending = Buffer.alloc(0);
  let queue = Promise.resolve();
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      const message = pending.subarray(2, end);
      pending = pending.subarray(end);
      queue = queue.then(async () => {
        const response = await respond({ message, overTcp: true });
        if (response === undefined) socket.destroy();
        else socket.write(lengthPrefixed(response));
      });
    }
  });
}

function lengthPrefixed(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}

function askUdp(server: string, port: number, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => finish(new Error("timed out")), upstreamTimeoutMs);
    const finish = (result: Buffer | Error): void => {
      clearTimeout(timer);
      socket.close();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    socket.once("error", finish);
    socket.on("message", (response) => {
      // Only the answer to this very question counts.
      if (response.length >= 12 && response.readUInt16BE(0) === message.readUInt16BE(0)) finish(response);
    });
    socket.connect(port, server, () => socket.send(message));
  });
}

function askTcp(server: string, port: number, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, server, () => socket.write(lengthPrefixed(message)));
    let received = Buffer.alloc(0);
    socket.setTimeout(upstreamTimeoutMs, () => socket.destroy(new Error("timed out")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without an answer")));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)));
      socket.destroy();
    });
  });
}

async function closeBoth(udp: Socket, tcp: Server): Promise<void> {
  await new Promise<void>((resolve) => udp.close(() => resolve()));
  await new Promise<void>((resolve) => tcp.close(() => resolve()));
}
