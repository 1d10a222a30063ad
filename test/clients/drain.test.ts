// A real kubectl against budgets, quotas, limits and certificate requests, with nodes that run nothing: what it prints of
// them, and a drain that waits for a budget.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { realKubectl } from "../reference-clients.ts";
import { startClientCluster, type ClientCluster } from "./client-cluster.ts";

const binary = realKubectl("1.36") ?? "";

describe("kubectl 1.36 and what keeps order", { skip: binary === "" && "no kubectl 1.36 here" }, () => {
  let plane: ClientCluster;
  before(async () => {
    plane = await startClientCluster({ controllers: ["*"], hollowNodes: 2 });
  });
  after(() => plane.stop());

  const run = async (line: string): Promise<{ code: number; stdout: string; stderr: string }> =>
    plane.run(binary, line);
  const prints = async (line: string, wanted: RegExp): Promise<string> => {
    const { code, stdout, stderr } = await run(line);
    assert.equal(code, 0, `kubectl ${line}\n${stdout}${stderr}`);
    assert.match(stdout, wanted, `kubectl ${line}\n${stdout}${stderr}`);
    return stdout;
  };

  test("a quota counts, refuses and is described", async () => {
    await prints("create namespace limited", /created/);
    await prints("create quota q -n limited --hard=pods=1,count/deployments.apps=2", /created/);
    await prints(
      "wait -n limited --for=jsonpath={.status.used.pods}=0 quota/q --timeout=20s",
      /condition met/,
    );
    await prints("run a -n limited --image=i", /created/);
    const { code, stderr } = await run("run b -n limited --image=i");
    assert.equal(code, 1);
    assert.equal(
      stderr,
      'Error from server (Forbidden): pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1\n',
    );
    await prints("describe quota q -n limited", /count\/deployments\.apps +0 +2\npods +1 +1\n/);
    await prints("delete pod a -n limited --now", /deleted/);
    await prints(
      "wait -n limited --for=jsonpath={.status.used.pods}=0 quota/q --timeout=20s",
      /condition met/,
    );
  });

  test("a drain evicts as the budget allows, and waits for the rest", async () => {
    await prints("apply -f manifests/budgeted.yaml", /deployment\.apps\/web created/);
    await prints("rollout status deployment/web --timeout=60s", /successfully rolled out/);
    await prints("wait --for=jsonpath={.status.disruptionsAllowed}=1 pdb/web --timeout=20s", /condition met/);
    await prints(
      "get pdb web",
      /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nweb +75% +N\/A +1 +\S+\n$/,
    );
    const drained = await prints(
      "drain hollow-0 --ignore-daemonsets --timeout=90s",
      /node\/hollow-0 drained\n$/,
    );
    const before = drained.match(/evicted/g)?.length ?? 0;
    assert.ok(before >= 1, drained);
    await prints("rollout status deployment/web --timeout=60s", /successfully rolled out/);
    const nodes = await prints("get pods -l app=web -o jsonpath={.items[*].spec.nodeName}", /hollow/);
    assert.deepEqual([...new Set(nodes.trim().split(" "))], ["hollow-1"]);
    await prints(
      "describe pdb web",
      /Min available: +75%[^]*Allowed disruptions: +1\n +Current: +4\n +Desired: +3\n +Total: +4\n/,
    );
    await prints("uncordon hollow-0", /uncordoned/);
  });

  test("a certificate request is approved, and signed", async () => {
    const folder = tmpdir();
    const key = join(folder, `leme-${process.pid}.key`);
    const subject = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const request = execFileSync("openssl", [...subject, "-keyout", key, "-subj", "/O=dev/CN=jane"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    execFileSync("rm", ["-f", key]);
    const file = join(folder, `leme-${process.pid}.json`);
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name: "jane" },
        spec: {
          request: request.toString("base64"),
          signerName: "kubernetes.io/kube-apiserver-client",
          usages: ["client auth"],
        },
      }),
    );
    await prints(`create -f ${file}`, /created/);
    execFileSync("rm", ["-f", file]);
    await prints("certificate approve jane", /approved/);
    await prints("wait --for=jsonpath={.status.certificate} csr/jane --timeout=20s", /condition met/);
    await prints("get csr jane", /Approved,Issued\n$/);
  });
});
