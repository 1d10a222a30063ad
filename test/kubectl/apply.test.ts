// The real kubectl applies, on the server and on the client, and meets what it expects. Skipped where there is none.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startGoldenCluster, type GoldenCluster } from "./golden-cluster.ts";
import { runBinary } from "./run-kubectl.ts";
import type { Result } from "./transcript.ts";
import { realKubectl } from "../reference-clients.ts";

const binary = realKubectl("1.36");
const advice = "Please review the fields above--they currently have other managers.";

const map = (name: string, data: Record<string, string>): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

const rc = (name: string, replicas: number, env: Record<string, string>): object => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  metadata: { name },
  spec: {
    replicas,
    selector: { app: name },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          { name: "c", image: "i", env: Object.entries(env).map(([key, value]) => ({ name: key, value })) },
        ],
      },
    },
  },
});

describe("kubectl 1.36 applies", { skip: binary === undefined && "no kubectl 1.36 here" }, () => {
  let cluster: GoldenCluster;
  let folder = "";
  before(async () => {
    cluster = await startGoldenCluster();
    folder = mkdtempSync(join(tmpdir(), "leme-apply-"));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await cluster.stop();
  });

  const kubectl = (line: string): Promise<Result> =>
    runBinary(binary as string, line, { ...cluster, cwd: folder, path: "/usr/bin:/bin" });
  /** Runs `kubectl …` with `-f` a file that holds this object. */
  const withFile = (line: string, object: object): Promise<Result> => {
    writeFileSync(join(folder, "object.json"), JSON.stringify(object));
    return kubectl(`${line} -f object.json`);
  };
  const printed = async (run: Promise<Result>, stdout: string): Promise<void> => {
    const result = await run;
    assert.deepEqual(
      { code: result.code, stdout: result.stdout.trimEnd(), stderr: result.stderr },
      { code: 0, stdout, stderr: "" },
    );
  };
  const managers = async (what: string): Promise<string> => {
    const path = '{range .metadata.managedFields[*]}{.manager}{"/"}{.operation}{" "}{end}';
    return (await kubectl(`get ${what} -o jsonpath='${path}'`)).stdout.trim();
  };

  test("on the server: makes, changes, conflicts, takes over", async () => {
    await printed(
      withFile("apply --server-side", map("a", { x: "1", y: "1" })),
      "configmap/a serverside-applied",
    );
    await printed(withFile("apply --server-side", map("a", { x: "1" })), "configmap/a serverside-applied");
    await printed(kubectl("get cm a -o jsonpath={.data}"), '{"x":"1"}');
    const refused = await withFile("apply --server-side --field-manager=other", map("a", { x: "2" }));
    assert.equal(refused.code, 1);
    assert.equal(
      refused.stderr.startsWith(
        `error: Apply failed with 1 conflict: conflict with "kubectl": .data.x\n${advice}`,
      ),
      true,
      refused.stderr,
    );
    const forced = "apply --server-side --field-manager=other --force-conflicts";
    await printed(withFile(forced, map("a", { x: "2" })), "configmap/a serverside-applied");
    assert.equal(await managers("cm a"), "other/Apply");
    await printed(
      withFile("apply --server-side --dry-run=server", map("new", { x: "2" })),
      "configmap/new serverside-applied (server dry run)",
    );
  });

  test("on the server: shows the difference", async () => {
    await withFile("apply --server-side", map("d", { x: "1" }));
    const same = await withFile("diff --server-side", map("d", { x: "1" }));
    assert.deepEqual(same, { code: 0, stdout: "", stderr: "" });
    const other = await withFile("diff --server-side", map("d", { x: "2" }));
    assert.equal(other.code, 1);
    assert.match(other.stdout, /\n- {2}x: "1"\n\+ {2}x: "2"\n/);
  });

  test("hides managed fields, unless asked for them", async () => {
    await withFile("apply --server-side", map("h", { x: "1" }));
    assert.equal((await kubectl("get cm h -o yaml")).stdout.includes("managedFields"), false);
    const shown = await kubectl("get cm h -o yaml --show-managed-fields");
    assert.match(shown.stdout, /f:data:\n {8}f:x: \{\}/);
  });

  test("on the server: an unknown field is told", async () => {
    const refused = await withFile("apply --server-side", { ...map("u", {}), foo: 1 });
    assert.equal(refused.code, 1);
    assert.equal(
      refused.stderr.trimEnd(),
      "Error from server: failed to create typed patch object (default/u; /v1, Kind=ConfigMap): .foo: field not declared in schema",
    );
  });

  test("on the client: makes, changes, removes by what it applied last", async () => {
    await printed(withFile("apply", rc("w", 0, { A: "1", B: "1" })), "replicationcontroller/w created");
    await printed(withFile("apply", rc("w", 0, { A: "1", B: "1" })), "replicationcontroller/w unchanged");
    await printed(kubectl("label rc w by=hand"), "replicationcontroller/w labeled");
    await printed(withFile("apply", rc("w", 0, { A: "2" })), "replicationcontroller/w configured");
    await printed(
      kubectl("get rc w -o jsonpath='{.spec.template.spec.containers[0].env} {.metadata.labels.by}'"),
      '[{"name":"A","value":"2"}] hand',
    );
    assert.equal(await managers("rc w"), "kubectl-client-side-apply/Update kubectl-label/Update");
  });

  test("goes over from the client to the server, and back", async () => {
    await withFile("apply", rc("m", 0, { A: "1", B: "1" }));
    await printed(
      withFile("apply --server-side", rc("m", 0, { A: "2" })),
      "replicationcontroller/m serverside-applied",
    );
    assert.equal(await managers("rc m"), "kubectl/Apply kubectl-last-applied/Apply");
    await printed(
      kubectl("get rc m -o jsonpath={.spec.template.spec.containers[0].env}"),
      '[{"name":"A","value":"2"}]',
    );
    await printed(withFile("apply", rc("m", 0, { B: "1" })), "replicationcontroller/m configured");
    await printed(
      kubectl("get rc m -o jsonpath={.spec.template.spec.containers[0].env}"),
      '[{"name":"B","value":"1"}]',
    );
  });

  test("conflicts with a scale, and takes it over by force", async () => {
    await withFile("apply --server-side", rc("s", 1, {}));
    await printed(kubectl("scale rc s --replicas=2"), "replicationcontroller/s scaled");
    const refused = await withFile("apply --server-side", rc("s", 1, {}));
    assert.match(
      refused.stderr,
      /^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using v1: \.spec\.replicas\n/,
    );
    await printed(
      withFile("apply --server-side --force-conflicts", rc("s", 1, {})),
      "replicationcontroller/s serverside-applied",
    );
  });
});
