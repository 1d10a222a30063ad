// `/metrics/resource`: what a node, its pods and their containers have used, in the documented metric names, as text that
// scrapers read (KEP-727). Pure.

export interface ContainerUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly startedAtMs: number | undefined;
  /** All that it has used since it started. */
  readonly cpu: { readonly atMs: number; readonly seconds: number } | undefined;
  readonly memory: { readonly atMs: number; readonly bytes: number } | undefined;
}

export interface MachineUsage {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

interface Line {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly atMs?: number;
}

const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));

function family(name: string, type: "counter" | "gauge", help: string, lines: readonly Line[]): string {
  if (lines.length === 0) return "";
  const shown = lines.map(({ labels, value, atMs }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    const set = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
    return `${name}${set} ${value}${atMs === undefined ? "" : ` ${Math.round(atMs)}`}\n`;
  });
  return `# HELP ${name} [STABLE] ${help}\n# TYPE ${name} ${type}\n${shown.join("")}`;
}

interface PodSums {
  readonly labels: { readonly namespace: string; readonly pod: string };
  atMs: number;
  seconds: number;
  bytes: number;
}

function byPod(containers: readonly ContainerUsage[]): PodSums[] {
  const pods = new Map<string, PodSums>();
  for (const { namespace, pod, cpu, memory } of containers) {
    const key = `${namespace}/${pod}`;
    const sums = pods.get(key) ?? { labels: { namespace, pod }, atMs: 0, seconds: 0, bytes: 0 };
    pods.set(key, sums);
    sums.atMs = Math.max(sums.atMs, cpu?.atMs ?? 0, memory?.atMs ?? 0);
    sums.seconds += cpu?.seconds ?? 0;
    sums.bytes += memory?.bytes ?? 0;
  }
  return [...pods.values()];
}

/** Prometheus' text format, 0.0.4; times in milliseconds since 1970. */
export function resourceMetrics(machine: MachineUsage, containers: readonly ContainerUsage[]): string {
  const labelsOf = ({ container, namespace, pod }: ContainerUsage) => ({ container, namespace, pod });
  const pods = byPod(containers);
  return [
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      "CPU time that the container has used, in core-seconds",
      containers.flatMap((one) =>
        one.cpu === undefined ? [] : [{ labels: labelsOf(one), value: one.cpu.seconds, atMs: one.cpu.atMs }],
      ),
    ),
    family(
      "container_memory_working_set_bytes",
      "gauge",
      "Working set of the container, in bytes",
      containers.flatMap((one) =>
        one.memory === undefined
          ? []
          : [{ labels: labelsOf(one), value: one.memory.bytes, atMs: one.memory.atMs }],
      ),
    ),
    family(
      "container_start_time_seconds",
      "gauge",
      "When the container started, in seconds since 1970",
      containers.flatMap((one) =>
        one.startedAtMs === undefined ? [] : [{ labels: labelsOf(one), value: one.startedAtMs / 1000 }],
      ),
    ),
    family("node_cpu_usage_seconds_total", "counter", "CPU time that the node has used, in core-seconds", [
      { labels: {}, value: machine.cpuSeconds, atMs: machine.atMs },
    ]),
    family("node_memory_working_set_bytes", "gauge", "Working set of the node, in bytes", [
      { labels: {}, value: machine.memoryBytes, atMs: machine.atMs },
    ]),
    family(
      "pod_cpu_usage_seconds_total",
      "counter",
      "CPU time that the pod has used, in core-seconds",
      pods.map(({ labels, seconds, atMs }) => ({ labels, value: seconds, atMs })),
    ),
    family(
      "pod_memory_working_set_bytes",
      "gauge",
      "Working set of the pod, in bytes",
      pods.map(({ labels, bytes, atMs }) => ({ labels, value: bytes, atMs })),
    ),
    family("resource_scrape_error", "gauge", "1 if something could not be measured, 0 otherwise", [
      { labels: {}, value: 0 },
    ]),
  ].join("");
}
