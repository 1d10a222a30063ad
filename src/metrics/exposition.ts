// Reads what a kubelet serves under /metrics/resource: the few lines that tell of CPU and memory, and nothing else of the
// text format. Pure.

/** All that was used until then. */
export interface Point {
  readonly atMs: number;
  /** Core-seconds since the beginning. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly startedAtMs?: number;
}

/** One look at a node. What lacks a figure is left out. */
export interface Sample {
  readonly node: Point | undefined;
  /** `namespace/pod` → container → its figures. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Point>>;
}

interface Draft {
  atMs?: number;
  cpuSeconds?: number;
  memoryBytes?: number;
  startedAtMs?: number;
}

const fields: Readonly<Record<string, "cpuSeconds" | "memoryBytes" | "startedAtMs">> = {
  node_cpu_usage_seconds_total: "cpuSeconds",
  node_memory_working_set_bytes: "memoryBytes",
  container_cpu_usage_seconds_total: "cpuSeconds",
  container_memory_working_set_bytes: "memoryBytes",
  container_start_time_seconds: "startedAtMs",
};

/** `name{label="value",…} value timestamp` */
const line = /^([a-z_]+)(?:\{(.*)\})? (\S+)(?: (\d+))?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(label))
    labels[name] = value.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
  return labels;
}

function pointOf({ atMs, cpuSeconds, memoryBytes, startedAtMs }: Draft): Point | undefined {
  if (atMs === undefined || cpuSeconds === undefined || memoryBytes === undefined) return undefined;
  return { atMs, cpuSeconds, memoryBytes, ...(startedAtMs === undefined ? {} : { startedAtMs }) };
}

export function parseResourceMetrics(text: string): Sample {
  const node: Draft = {};
  const drafts = new Map<string, Map<string, Draft>>();
  for (const row of text.split("\n")) {
    const [, name = "", labelText = "", value = "", atMs] = line.exec(row) ?? [];
    const field = fields[name];
    if (field === undefined) continue;
    const draft = name.startsWith("node_") ? node : draftOf(drafts, labelsOf(labelText));
    draft[field] = field === "startedAtMs" ? Number(value) * 1000 : Number(value);
    // The counter is what a rate is made of: its time counts.
    if (atMs !== undefined && field === "cpuSeconds") draft.atMs = Number(atMs);
  }
  const pods = new Map<string, Map<string, Point>>();
  for (const [pod, containers] of drafts) {
    const points = new Map<string, Point>();
    for (const [container, draft] of containers) {
      const point = pointOf(draft);
      if (point !== undefined) points.set(container, point);
    }
    // A pod of which one container is not measured is not measured.
    if (points.size === containers.size) pods.set(pod, points);
  }
  return { node: pointOf(node), pods };
}

function draftOf(
  drafts: Map<string, Map<string, Draft>>,
  { namespace = "", pod = "", container = "" }: Record<string, string>,
): Draft {
  const key = `${namespace}/${pod}`;
  const containers = drafts.get(key) ?? new Map<string, Draft>();
  drafts.set(key, containers);
  const draft = containers.get(container) ?? {};
  containers.set(container, draft);
  return draft;
}
