import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceMetrics } from "./resource-metrics.ts";

test("containers, their sums by pod, and the node, each with the time of its measurement", () => {
  const text = resourceMetrics({ atMs: 3000, cpuSeconds: 9.5, memoryBytes: 100 }, [
    {
      namespace: "n",
      pod: "p",
      container: "a",
      startedAtMs: 1500,
      cpu: { atMs: 2000.4, seconds: 0.25 },
      memory: { atMs: 2000.4, bytes: 10 },
    },
    {
      namespace: "n",
      pod: "p",
      container: 'b"\\',
      startedAtMs: undefined,
      cpu: { atMs: 2500, seconds: 1 },
      memory: undefined,
    },
  ]);
  assert.deepEqual(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    [
      'container_cpu_usage_seconds_total{container="a",namespace="n",pod="p"} 0.25 2000',
      'container_cpu_usage_seconds_total{container="b\\"\\\\",namespace="n",pod="p"} 1 2500',
      'container_memory_working_set_bytes{container="a",namespace="n",pod="p"} 10 2000',
      'container_start_time_seconds{container="a",namespace="n",pod="p"} 1.5',
      "node_cpu_usage_seconds_total 9.5 3000",
      "node_memory_working_set_bytes 100 3000",
      'pod_cpu_usage_seconds_total{namespace="n",pod="p"} 1.25 2500',
      'pod_memory_working_set_bytes{namespace="n",pod="p"} 10 2500',
      "resource_scrape_error 0",
    ],
  );
  assert.match(text, /^# TYPE container_cpu_usage_seconds_total counter$/m);
});
