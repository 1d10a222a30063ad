import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import { planAddresses, toIp, toNumber } from "./address-plan.ts";

const pool = { first: "10.200.0.240", last: "10.200.0.241" };
const service = (
  name: string,
  options: { ip?: string; wants?: string; type?: string; class?: string; age?: number } = {},
): Service => ({
  metadata: { name, namespace: "d", creationTimestamp: `2026-01-01T00:00:0${options.age ?? 0}Z` },
  spec: {
    type: options.type ?? "LoadBalancer",
    ...(options.wants ? { loadBalancerIP: options.wants } : {}),
    ...(options.class ? { loadBalancerClass: options.class } : {}),
  },
  status: options.ip ? { loadBalancer: { ingress: [{ ip: options.ip }] } } : {},
});

test("addresses from the pool", () => {
  const rows: [string, Service[], ReturnType<typeof planAddresses>][] = [
    ["the first free one", [service("a")], [{ key: "d/a", action: "assign", ip: "10.200.0.240" }]],
    ["kept once given", [service("a", { ip: "10.200.0.241" })], []],
    [
      "not one that another has",
      [service("a", { ip: "10.200.0.240" }), service("b")],
      [{ key: "d/b", action: "assign", ip: "10.200.0.241" }],
    ],
    [
      "the requested one",
      [service("a", { wants: "10.200.0.241" })],
      [{ key: "d/a", action: "assign", ip: "10.200.0.241" }],
    ],
    [
      "none outside the pool",
      [service("a", { wants: "9.9.9.9" })],
      [
        {
          key: "d/a",
          action: "exhausted",
          why: "requested address 9.9.9.9 is not in the pool 10.200.0.240-10.200.0.241",
        },
      ],
    ],
    [
      "taken back when the type changes",
      [service("a", { type: "ClusterIP", ip: "10.200.0.240" })],
      [{ key: "d/a", action: "release" }],
    ],
    ["another implementation's class is not ours", [service("a", { class: "x/y" })], []],
    [
      "of two with one address the older keeps it",
      [service("young", { ip: "10.200.0.240", age: 5 }), service("old", { ip: "10.200.0.240", age: 1 })],
      [{ key: "d/young", action: "assign", ip: "10.200.0.241" }],
    ],
    [
      "the pool ends",
      [service("a"), service("b"), service("c")],
      [
        { key: "d/a", action: "assign", ip: "10.200.0.240" },
        { key: "d/b", action: "assign", ip: "10.200.0.241" },
        { key: "d/c", action: "exhausted", why: "no address is free in the pool 10.200.0.240-10.200.0.241" },
      ],
    ],
  ];
  for (const [title, services, expected] of rows)
    assert.deepEqual(planAddresses(services, pool), expected, title);
  assert.equal(toIp(toNumber("10.200.0.240")), "10.200.0.240");
});
