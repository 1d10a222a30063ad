import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cidrContains,
  cidrCovers,
  formatIp,
  isMapped,
  networkOf,
  parseCidr,
  parseIp,
  type Cidr,
} from "./ip.ts";

test("addresses and their canonical form", () => {
  const rows: [string, string | undefined][] = [
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["256.0.0.1", undefined],
    ["10.0.0.01", undefined],
    ["10.0.0", undefined],
    ["", undefined],
    ["2001:DB8::1", "2001:db8::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7:8::", undefined],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["fe80::1%eth0", undefined],
    ["12345::", undefined],
  ];
  for (const [text, expected] of rows) {
    const ip = parseIp(text);
    assert.equal(ip && formatIp(ip), expected, text);
  }
  assert.equal(isMapped(parseIp("::ffff:10.0.0.1") as never), true);
  assert.equal(isMapped(parseIp("10.0.0.1") as never), false);
  assert.notEqual(parseIp("010.0.0.1", { lenient: true }), undefined);
});

test("ranges", () => {
  for (const bad of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::/129", "x/8"])
    assert.equal(parseCidr(bad), undefined, bad);
  const ten = parseCidr("10.1.2.3/8") as Cidr;
  assert.equal(formatIp(networkOf(ten)), "10.0.0.0");
  assert.equal(cidrContains(ten, parseIp("10.255.0.1") as never), true);
  assert.equal(cidrContains(ten, parseIp("11.0.0.1") as never), false);
  assert.equal(cidrContains(ten, parseIp("::1") as never), false);
  assert.equal(cidrCovers(ten, parseCidr("10.4.0.0/16") as Cidr), true);
  assert.equal(cidrCovers(parseCidr("10.4.0.0/16") as Cidr, ten), false);
});
