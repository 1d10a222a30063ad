// The cluster that transcripts are recorded on and replayed on: a control plane alone, its clock standing still, only the
// controllers without which deletions never end.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { makeKubeConfig } from "#client/kubeconfig.ts";
import { admissionPluginNames, startControlPlane } from "#compose/control-plane.ts";
import type { Surroundings } from "./run-kubectl.ts";

export const manifests = join(import.meta.dirname, "../../src/kubectl/testdata/manifests");
export const transcripts = join(import.meta.dirname, "../../src/kubectl/testdata/1.36");

export interface GoldenCluster extends Surroundings {
  stop(): Promise<void>;
}

export async function startGoldenCluster(): Promise<GoldenCluster> {
  const home = mkdtempSync(join(tmpdir(), "leme-kubectl-"));
  const startMs = Date.now();
  const plane = await startControlPlane({
    dataDir: home,
    store: { engine: "memory" },
    bindAddress: "127.0.0.1",
    securePort: 0,
    advertiseAddress: "127.0.0.1",
    clusterName: "golden",
    serviceClusterIpRange: "10.96.0.0/16",
    serviceNodePortRange: { from: 30_000, to: 32_767 },
    clusterDns: "10.96.0.10",
    authorizationModes: ["RBAC"],
    admissionPlugins: new Set(admissionPluginNames.filter((name) => name !== "ServiceAccount")),
    defaultTolerationSeconds: { notReady: 300, unreachable: 300 },
    controllers: ["namespace-controller", "garbage-collector-controller"],
    extraNames: [],
    log: silentLogger,
    clock: { ...realClock, now: () => startMs },
    random: seededRandom(1),
  });
  const kubeconfig = join(home, "kubeconfig");
  const access = {
    server: `https://127.0.0.1:${plane.port}`,
    certificateAuthority: plane.pki.authority.certificate,
    clientCertificate: plane.pki.admin.certificate,
    clientKey: plane.pki.admin.key,
  };
  writeFileSync(kubeconfig, JSON.stringify(makeKubeConfig({ name: "golden", access })));
  return {
    kubeconfig,
    home,
    cwd: manifests,
    async stop() {
      await plane.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
