import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResourceMetrics } from "./exposition.ts";

test("figures of nodes and containers are read, anything else is passed over", () => {
  const { node, pods } = parseResourceMetrics(`# HELP container_cpu_usage_seconds_total [STABLE] …
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="c",namespace="default",pod="web-1"} 4.5 1700000000123
container_cpu_usage_seconds_total{container="side",namespace="default",pod="web-1"} 1e-03 1700000000100
container_memory_working_set_bytes{container="c",namespace="default",pod="web-1"} 1.048576e+06 1700000000123
container_memory_working_set_bytes{container="side",namespace="default",pod="web-1"} 4096 1700000000100
container_start_time_seconds{container="c",namespace="default",pod="web-1"} 1.69999e+09
container_swap_usage_bytes{container="c",namespace="default",pod="web-1"} 0 1700000000123
node_cpu_usage_seconds_total 100.25 1700000000200
node_memory_working_set_bytes 2e9 1700000000200
something_else{a="b"} 1
scrape_error 0
`);
  assert.deepEqual(node, { atMs: 1700000000200, cpuSeconds: 100.25, memoryBytes: 2e9 });
  assert.deepEqual(
    [...pods].map(([pod, containers]) => [pod, Object.fromEntries(containers)]),
    [
      [
        "default/web-1",
        {
          c: {
            atMs: 1700000000123,
            cpuSeconds: 4.5,
            memoryBytes: 1048576,
            startedAtMs: 1699990000000,
          },
          side: { atMs: 1700000000100, cpuSeconds: 0.001, memoryBytes: 4096 },
        },
      ],
    ],
  );
});

test("a pod of which one container lacks a figure is not measured", () => {
  const { node, pods } = parseResourceMetrics(`
container_cpu_usage_seconds_total{container="a",namespace="n",pod="p"} 1 1000
container_memory_working_set_bytes{container="a",namespace="n",pod="p"} 1 1000
container_cpu_usage_seconds_total{container="b",namespace="n",pod="p"} 1 1000
node_cpu_usage_seconds_total 1 1000
`);
  assert.equal(pods.size, 0);
  assert.equal(node, undefined);
});
