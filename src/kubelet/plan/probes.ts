// The state machine of one probe: how many answers in a row make a result, and when the next question is due.

import type { Probe } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export type ProbeType = "startup" | "liveness" | "readiness";

export interface ProbeState {
  /** The result in force. */
  readonly result: boolean;
  /** Whether any answer has led to a result yet. */
  readonly decided: boolean;
  readonly lastOk: boolean | undefined;
  readonly runLength: number;
}

/** Until the first result a container is alive, but neither started nor ready. */
export function initialProbeState(type: ProbeType): ProbeState {
  return { result: type === "liveness", decided: false, lastOk: undefined, runLength: 0 };
}

export function probeStep(state: ProbeState, ok: boolean, probe: DeepReadonly<Probe>): ProbeState {
  const runLength = state.lastOk === ok ? state.runLength + 1 : 1;
  const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  if (runLength < threshold) return { ...state, lastOk: ok, runLength };
  return { result: ok, decided: true, lastOk: ok, runLength };
}

export const probeTimeoutMs = (probe: DeepReadonly<Probe>): number => (probe.timeoutSeconds ?? 1) * 1000;
export const probePeriodMs = (probe: DeepReadonly<Probe>): number => (probe.periodSeconds ?? 10) * 1000;

/** When the first question of a container that started at `startedAtMs` is due. */
export function firstProbeAtMs(probe: DeepReadonly<Probe>, startedAtMs: number, nowMs: number): number {
  return Math.max(nowMs, startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000);
}

export const probeTitle: Readonly<Record<ProbeType, string>> = {
  startup: "Startup",
  liveness: "Liveness",
  readiness: "Readiness",
};
