import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceCIDR } from "#machinery/gen/types/networking-v1.ts";
import { kindTable, type Change } from "../kind-table.ts";
import { serviceCidr } from "./service-cidr.ts";

const kind = kindTable<ServiceCIDR>(serviceCidr, {
  metadata: { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: { cidrs: ["10.96.0.0/16"] },
});
const ranges =
  (...cidrs: string[]): Change<ServiceCIDR> =>
  (object) => {
    object.spec = { cidrs };
  };
const at = "spec.cidrs[0]: Invalid value:";

const cases: [string, Change<ServiceCIDR>, string[]][] = [
  ["nothing is wrong", () => undefined, []],
  ["of both families", ranges("2001:db8::/64", "10.0.0.0/8"), []],
  ["none", ranges(), ["spec.cidrs: Required value: at least one CIDR required"]],
  [
    "three",
    ranges("10.0.0.0/8", "2001:db8::/64", "11.0.0.0/8"),
    [
      'spec.cidrs: Invalid value: {"cidrs":["10.0.0.0/8","2001:db8::/64","11.0.0.0/8"]}: may only hold up to 2 values',
    ],
  ],
  [
    "two of one family",
    ranges("10.0.0.0/8", "11.0.0.0/8"),
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/8","11.0.0.0/8"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [
    "not a range",
    ranges("a"),
    [`${at} "a": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`],
  ],
  [
    "bits beyond the prefix",
    ranges("10.96.0.1/16"),
    [`${at} "10.96.0.1/16": must not have bits set beyond the prefix length`],
  ],
  ["leading zeros", ranges("010.0.0.0/8"), [`${at} "010.0.0.0/8": must not have leading 0s in IP`]],
  [
    "an IPv4 range as IPv6",
    ranges("::ffff:10.0.0.0/104"),
    [`${at} "::ffff:10.0.0.0/104": must not be an IPv4-mapped IPv6 address`],
  ],
  [
    "another spelling",
    ranges("2001:DB8::/64"),
    [`${at} "2001:DB8::/64": must be in canonical form ("2001:db8::/64")`],
  ],
];
for (const [title, change, causes] of cases)
  test(`ServiceCIDR: ${title}`, () => assert.deepEqual(kind.onCreate(change), causes));

const updates: [string, Change<ServiceCIDR>, string[]][] = [
  ["the same", () => undefined, []],
  ["a second family", ranges("10.96.0.0/16", "2001:db8::/64"), []],
  ["another range", ranges("10.97.0.0/16"), [`${at} "10.97.0.0/16": field is immutable`]],
  [
    "another first range",
    ranges("2001:db8::/64", "10.96.0.0/16"),
    [`${at} "2001:db8::/64": primary CIDR can not be changed`],
  ],
  ["none any more", ranges(), ["spec.cidrs: Invalid value: []: field is immutable"]],
];
for (const [title, change, causes] of updates)
  test(`ServiceCIDR, an update: ${title}`, () => assert.deepEqual(kind.onUpdate(change), causes));

test("ServiceCIDR: the status belongs to its own subresource", () => {
  const set: Change<ServiceCIDR> = (object) => (object.status = { conditions: [] });
  assert.deepEqual(kind.created(set).status, {});
  assert.deepEqual(kind.updated(set).status, {});
});

test("ServiceCIDR: its row", () => {
  assert.deepEqual(kind.row(ranges("10.0.0.0/8", "2001:db8::/64")), ["x", "10.0.0.0/8,2001:db8::/64", "24h"]);
});
