import assert from "node:assert/strict";
import { test } from "node:test";
import { podRequests } from "./requests.ts";

const container = (cpu: string, memory?: string, restartPolicy?: string): object => ({
  name: "c",
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
  resources: { requests: { cpu, ...(memory === undefined ? {} : { memory }) } },
});

test("containers add up, init steps count by their peak, sidecars count throughout", () => {
  const rows: [string, object, Record<string, number>][] = [
    [
      "two containers",
      { containers: [container("100m", "1Mi"), container("1")] },
      { cpu: 1100, memory: 1048576 },
    ],
    ["nothing asked for", { containers: [{ name: "c" }] }, {}],
    [
      "a hungry init step",
      { containers: [container("100m")], initContainers: [container("2")] },
      { cpu: 2000 },
    ],
    [
      "init steps do not add up",
      { containers: [container("1")], initContainers: [container("600m"), container("600m")] },
      { cpu: 1000 },
    ],
    [
      "a sidecar adds",
      { containers: [container("1")], initContainers: [container("1", undefined, "Always")] },
      { cpu: 2000 },
    ],
    [
      "an init step beside an earlier sidecar",
      { containers: [container("1")], initContainers: [container("1", undefined, "Always"), container("3")] },
      { cpu: 4000 },
    ],
    ["overhead", { containers: [container("1")], overhead: { cpu: "50m" } }, { cpu: 1050 }],
    [
      "for the whole pod",
      { containers: [container("1", "1Mi")], resources: { requests: { cpu: "3" } } },
      { cpu: 3000, memory: 1048576 },
    ],
  ];
  for (const [what, spec, expected] of rows)
    assert.deepEqual({ ...podRequests(spec as Parameters<typeof podRequests>[0]) }, expected, what);
});
