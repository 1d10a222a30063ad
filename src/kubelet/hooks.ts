// Lifecycle hooks of containers: a command, an HTTP GET, a TCP connection (which does nothing, as documented) or a pause.

import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import type { LifecycleHandler } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { httpGet } from "./http-get.ts";
import { hookSecondsMax } from "./limits.ts";
import type { ReadonlyContainer } from "./plan/model.ts";
import { portNumber } from "./probe-once.ts";

export interface HookTarget {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly container: ReadonlyContainer;
  readonly containerId: string;
  readonly podIp: string;
  readonly version: string;
}

/** Why the hook failed, or undefined. It ends by itself after `seconds`. */
export async function runHook(
  handler: DeepReadonly<LifecycleHandler>,
  target: HookTarget,
  seconds = hookSecondsMax,
): Promise<string | undefined> {
  const { runtime, clock, container, containerId, podIp, version } = target;
  try {
    if (handler.exec !== undefined) {
      const command = handler.exec.command ?? [];
      const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, seconds);
      if (exitCode === 0) return undefined;
      const said = Buffer.concat([stdout, stderr]).toString("utf8", 0, 1024);
      return `command '${command.join(" ")}' exited with ${exitCode}: ${said}`;
    }
    if (handler.httpGet !== undefined) {
      const port = portNumber(handler.httpGet.port, container);
      if (port === undefined) return `couldn't find port: ${handler.httpGet.port}`;
      const host = handler.httpGet.host || podIp;
      const agent = `kube-lifecycle/${version}`;
      const { status } = await httpGet(handler.httpGet, host, port, agent, seconds * 1000);
      return status >= 200 && status < 400 ? undefined : `HTTP hook answered ${status}`;
    }
    if (handler.sleep !== undefined) await clock.sleep(Math.min(handler.sleep.seconds, seconds) * 1000);
    return undefined;
  } catch (thrown) {
    return toError(thrown).message;
  }
}
