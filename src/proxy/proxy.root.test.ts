// The rules with real nftables and real connections, in a network namespace of the test's own.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { after, before, test } from "node:test";
import type { ServicePortPlan } from "./plan/backends.ts";
import { diffRulesets } from "./plan/diff.ts";
import { planRuleset, type Ruleset } from "./plan/ruleset.ts";

const namespace = `lmproxy${process.pid}`;
const inside = (command: string, args: readonly string[], input?: string) =>
  spawnSync("nsenter", [`--net=/run/netns/${namespace}`, command, ...args], {
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
  });
const ip = (...args: string[]) => execFileSync("ip", ["-n", namespace, ...args]);

let server: ChildProcess;
const backends = ["10.244.0.1", "10.244.0.2", "10.244.0.3"].map((address) => ({ ip: address, port: 4000 }));

const serverScript = `
const { createServer } = require("node:http");
let left = ${backends.length};
for (const ip of ${JSON.stringify(backends.map((b) => b.ip))}) {
  createServer((q, r) => { r.setHeader("connection", "close"); r.end(ip + " from " + q.socket.remoteAddress); }).listen(4000, ip, () => { if (--left === 0) console.log("ready"); });
}`;
const clientScript = `
const { get } = require("node:http");
const [url, count, localAddress] = process.argv.slice(1);
(async () => {
  for (let i = 0; i < Number(count); i++) {
    await new Promise((done) => get(url, { agent: false, timeout: 2000, ...(localAddress ? { localAddress } : {}) }, (r) => { let t = ""; r.on("data", (d) => (t += d)); r.on("end", () => { console.log(t); done(); }); })
      .on("timeout", function () { this.destroy(new Error("timeout")); }).on("error", (e) => { console.log("error " + (e.code ?? e.message)); done(); }));
  }
})();`;

const ask = (url: string, count: number, from = ""): string[] =>
  inside(process.execPath, ["-e", clientScript, url, String(count), from])
    .stdout.trim()
    .split("\n");

let applied: Ruleset | undefined;
function apply(ports: readonly ServicePortPlan[]): void {
  const next = planRuleset(ports, { clusterCidr: "10.244.0.0/16" });
  const script = diffRulesets("leme-proxy", applied, next);
  const { status, stderr } = inside("nft", ["-f", "-"], script);
  assert.equal(status, 0, `${stderr}\n${script}`);
  applied = next;
}

const port = (change: Partial<ServicePortPlan> = {}): ServicePortPlan => ({
  id: "default/app:",
  namespace: "default",
  name: "app",
  protocol: "tcp",
  port: 80,
  nodePort: 30080,
  clusterIps: ["10.96.0.5"],
  externalIps: ["203.0.113.9"],
  sourceRanges: [],
  loadBalancerIps: ["203.0.113.10"],
  affinitySeconds: 0,
  internal: backends,
  external: backends,
  preserveClientIp: false,
  anyEndpoints: true,
  ...change,
});

before(async () => {
  execFileSync("ip", ["netns", "add", namespace]);
  ip("link", "set", "lo", "up");
  for (const address of [...backends.map((b) => b.ip), "10.200.0.11"])
    ip("addr", "add", `${address}/32`, "dev", "lo");
  ip("route", "add", "default", "dev", "lo");
  server = spawn("nsenter", [`--net=/run/netns/${namespace}`, process.execPath, "-e", serverScript], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve) => server.stdout?.once("data", () => resolve()));
});

after(() => {
  server.kill("SIGKILL");
  execFileSync("ip", ["netns", "del", namespace]);
});

test("every address of a Service spreads over its backends", () => {
  apply([port()]);
  for (const url of [
    "http://10.96.0.5/",
    "http://203.0.113.9/",
    "http://203.0.113.10/",
    "http://10.200.0.11:30080/",
  ]) {
    const answers = ask(url, 60, "10.200.0.11");
    assert.deepEqual(
      [...new Set(answers.map((line) => line.split(" ")[0]))].sort(),
      backends.map((b) => b.ip),
      `${url}: ${answers[0]}`,
    );
  }
});

test("client affinity holds, also when a backend is added", () => {
  apply([port({ affinitySeconds: 60, internal: backends.slice(0, 2), external: backends.slice(0, 2) })]);
  const first = new Set(ask("http://10.96.0.5/", 20, "10.200.0.11").map((line) => line.split(" ")[0]));
  assert.equal(first.size, 1, [...first].join());
  apply([port({ affinitySeconds: 60 })]);
  const second = new Set(ask("http://10.96.0.5/", 20, "10.200.0.11").map((line) => line.split(" ")[0]));
  assert.deepEqual(second, first);
});

test("without endpoints connections are refused at once; a removed Service leaves nothing", () => {
  apply([port({ internal: [], external: [], anyEndpoints: false })]);
  for (const url of ["http://10.96.0.5/", "http://203.0.113.10/", "http://10.200.0.11:30080/"]) {
    assert.deepEqual(ask(url, 1, "10.200.0.11"), ["error ECONNREFUSED"], url);
  }
  apply([]);
  const table = inside("nft", ["list", "table", "ip", "leme-proxy"]).stdout;
  assert.doesNotMatch(table, /10\.96|10\.244|svc_|ext_|ep_|aff_/);
});

test("a source outside loadBalancerSourceRanges gets no answer", () => {
  apply([port({ sourceRanges: ["10.200.0.0/16"] })]);
  assert.match(ask("http://203.0.113.10/", 1, "10.200.0.11")[0] ?? "", /^10\.244/);
  assert.match(ask("http://203.0.113.10/", 1, "10.244.0.1")[0] ?? "", /error/);
});
