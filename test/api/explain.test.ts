// `kubectl explain` of every served kind, by three generations of kubectl: 1.20 reads OpenAPI v2 as protobuf, the others v3.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { makeKubeConfig } from "#client/kubeconfig.ts";
import { builtinResources } from "#resources/index.ts";
import { realKubectl } from "../reference-clients.ts";
import { startApi, type Api } from "./api-under-test.ts";

const execute = promisify(execFile);
let api: Api;
let folder: string;

before(async () => {
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), "leme-explain-"));
  const config = makeKubeConfig({ name: "test", access: api.access as never });
  await writeFile(join(folder, "config"), JSON.stringify(config));
});
after(async () => {
  await api.stop();
  await rm(folder, { recursive: true });
});

/** Questions and the options of requests are not what a cluster holds; old kubectl does not look for them. */
const kinds = builtinResources.filter(({ verbs }) => verbs.includes("get"));

for (const version of ["1.36", "1.32", "1.20"] as const) {
  const kubectl = realKubectl(version);
  const skip = kubectl === undefined && `no kubectl ${version} here: scripts/reference-kubectl.sh ${version}`;
  const explain = async (...words: string[]): Promise<string> => {
    const env = { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: join(folder, "config") };
    const cache = `--cache-dir=${join(folder, version)}`;
    const { stdout } = await execute(kubectl as string, ["explain", cache, ...words], { env });
    return stdout;
  };

  describe(`kubectl ${version}`, { skip }, () => {
    test("every kind is described, and so is each of its fields", async () => {
      for (const { group, version: of, kind, resource } of kinds) {
        const apiVersion = group === "" ? of : `${group}/${of}`;
        const text = await explain(resource, `--api-version=${apiVersion}`);
        assert.match(text, new RegExp(`^KIND: +${kind}$`, "m"), resource);
        assert.match(text, /\nDESCRIPTION:\n +\S.*\n/, resource);
        assert.doesNotMatch(text, /<no description>|<empty>/, resource);
        // A field is followed by what is said of it, which is indented further.
        const all = text.slice(text.indexOf("FIELDS:\n")).split("\n").slice(1);
        const lines = all.filter((line) => !line.startsWith("  enum: "));
        const fields = lines.flatMap((line, at) => (/^ {2,3}\w+\t<.+>/.test(line) ? [at] : []));
        assert.ok(fields.length >= 2, text);
        for (const at of fields) assert.match(lines[at + 1] ?? "", /^ {4,5}\S/, `${resource}: ${lines[at]}`);
      }
    });

    test("deep fields, and all of them", async () => {
      const port = await explain("pods.spec.containers.ports.containerPort");
      assert.match(port, /containerPort <integer>|FIELD: +containerPort/);
      assert.match(port, /Number of port to expose on the pod's IP address/);
      const volume = await explain("pod.spec.volumes.hostPath");
      assert.match(volume, /path\t<string> -required-/);
      const all = await explain("pod", "--recursive");
      assert.match(all, /\n {9,}livenessProbe\t<|\n {6,}livenessProbe\t</);
    });
  });
}
