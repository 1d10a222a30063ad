// Asks one probe once: a command in the container, an HTTP GET, a TCP connection, or gRPC health.

import { connect } from "node:net";
import { toError } from "#base/assert.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import { isCriError } from "#cri/errors.ts";
import type { Probe } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { httpGet, HttpGetError } from "./http-get.ts";
import { probeOutputBytesMax } from "./limits.ts";
import type { ReadonlyContainer } from "./plan/model.ts";
import { probeTimeoutMs } from "./plan/probes.ts";

export interface ProbeTarget {
  readonly runtime: ContainerRuntime;
  readonly container: ReadonlyContainer;
  readonly containerId: string;
  readonly podIp: string;
  readonly version: string;
}

export interface ProbeAnswer {
  readonly ok: boolean;
  readonly output: string;
}

/** A port by number, or by the name that the container gives it. */
export function portNumber(port: number | string, container: ReadonlyContainer): number | undefined {
  const plain = Number(port);
  if (Number.isInteger(plain) && plain > 0) return plain;
  return container.ports?.find(({ name }) => name === port)?.containerPort;
}

async function execProbe(
  { runtime, containerId }: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeAnswer> {
  try {
    const result = await runtime.execSync(containerId, command, timeoutMs / 1000);
    const output = Buffer.concat([result.stdout, result.stderr]).toString("utf8", 0, probeOutputBytesMax);
    return { ok: result.exitCode === 0, output };
  } catch (error) {
    if (!isCriError(error)) throw error;
    if (error.code === "DeadlineExceeded")
      return {
        ok: false,
        output: `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutMs / 1000}s`,
      };
    return { ok: false, output: error.message };
  }
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: ProbeAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(
      () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }),
      timeoutMs,
    );
    socket.once("connect", () => end({ ok: true, output: "" }));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      end({
        ok: false,
        output:
          error.code === "ECONNREFUSED"
            ? `dial tcp ${host}:${port}: connect: connection refused`
            : `dial tcp ${host}:${port}: ${error.message}`,
      }),
    );
  });
}

export async function probeOnce(probe: DeepReadonly<Probe>, target: ProbeTarget): Promise<ProbeAnswer> {
  const timeoutMs = probeTimeoutMs(probe);
  const { exec, httpGet: http, tcpSocket, grpc } = probe;
  if (exec !== undefined) return execProbe(target, exec.command ?? [], timeoutMs);
  if (http !== undefined) {
    const port = portNumber(http.port, target.container);
    if (port === undefined) return { ok: false, output: `couldn't find port: ${http.port}` };
    try {
      const host = http.host || target.podIp;
      const answer = await httpGet(http, host, port, `kube-probe/${target.version}`, timeoutMs);
      const ok = answer.status >= 200 && answer.status < 400;
      return { ok, output: ok ? answer.body : `HTTP probe failed with statuscode: ${answer.status}` };
    } catch (error) {
      if (!(error instanceof HttpGetError)) throw error;
      return { ok: false, output: error.message };
    }
  }
  if (tcpSocket !== undefined) {
    const port = portNumber(tcpSocket.port, target.container);
    if (port === undefined) return { ok: false, output: `couldn't find port: ${tcpSocket.port}` };
    return tcpProbe(tcpSocket.host || target.podIp, port, timeoutMs);
  }
  if (grpc !== undefined) {
    try {
      const { grpcHealth } = await import("./grpc-health.ts");
      return await grpcHealth(target.podIp, grpc.port, grpc.service ?? "", timeoutMs);
    } catch (thrown) {
      return { ok: false, output: toError(thrown).message };
    }
  }
  return { ok: true, output: "" };
}
