// The files of a cluster's trust: made once under <dataDir>/pki, kept, and renewed when they run out.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  covers,
  createAuthority,
  createSigningKey,
  issue,
  isUsable,
  type KeyPair,
  type LeafRequest,
} from "./certificates.ts";

const dayMs = 24 * 3600 * 1000;
const authorityValidMs = 3650 * dayMs;
const leafValidMs = 365 * dayMs;
/** Certificates are made anew when less than this is left. */
const renewBeforeMs = 30 * dayMs;
/** Certificates start in the past, for machines whose clock is behind. */
const clockSkewMs = 5 * 60 * 1000;

export interface ClusterPki {
  /** The authority of clients and servers alike. */
  readonly authority: KeyPair;
  /** Serving certificate of the API server. */
  readonly server: KeyPair;
  /** What the API server shows to kubelets. */
  readonly kubeletClient: KeyPair;
  /** What an administrator's kubeconfig holds (group system:masters). */
  readonly admin: KeyPair;
  /** Private key (PEM) that signs service-account tokens. */
  readonly serviceAccountKey: string;
}

export interface ClusterPkiOptions {
  readonly dir: string;
  readonly nowMs: number;
  /** DNS names and addresses under which clients reach the API server. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Atomic: a crash leaves the old file or the new one. Keys are readable by the owner only. */
async function writeSecret(path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, content, { mode: 0o600, flush: true });
  await rename(temporary, path);
}

async function readPair(dir: string, name: string): Promise<KeyPair | undefined> {
  const [certificate, key] = await Promise.all([
    readOrUndefined(join(dir, `${name}.crt`)),
    readOrUndefined(join(dir, `${name}.key`)),
  ]);
  return certificate !== undefined && key !== undefined ? { certificate, key } : undefined;
}

async function writePair(dir: string, name: string, pair: KeyPair): Promise<KeyPair> {
  await writeSecret(join(dir, `${name}.key`), pair.key);
  await writeSecret(join(dir, `${name}.crt`), pair.certificate);
  return pair;
}

/** The leaf of this name: the one on disk while it is good and says what is asked, else a new one. */
export async function ensureLeaf(
  dir: string,
  name: string,
  authority: KeyPair,
  request: Omit<LeafRequest, "notBeforeMs" | "validMs">,
  nowMs: number,
): Promise<KeyPair> {
  const existing = await readPair(dir, name);
  if (
    existing !== undefined &&
    isUsable(existing.certificate, authority.certificate, nowMs, renewBeforeMs) &&
    covers(existing.certificate, request.dnsNames ?? [], request.ipAddresses ?? [])
  ) {
    return existing;
  }
  const made = await issue(authority, { ...request, notBeforeMs: nowMs - clockSkewMs, validMs: leafValidMs });
  return writePair(dir, name, made);
}

/** The authority in `dir` (`ca.crt`, `ca.key`); made on first use. */
export async function ensureAuthority(dir: string, nowMs: number): Promise<KeyPair> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const existing = await readPair(dir, "ca");
  if (existing !== undefined) return existing;
  if ((await readOrUndefined(join(dir, "ca.crt"))) !== undefined) {
    throw new Error(
      `${dir} has ca.crt but no ca.key: restore the key, or remove the directory to start a new authority`,
    );
  }
  return writePair(dir, "ca", await createAuthority("kubernetes", nowMs - clockSkewMs, authorityValidMs));
}

export async function ensureClusterPki({
  dir,
  nowMs,
  dnsNames,
  ipAddresses,
}: ClusterPkiOptions): Promise<ClusterPki> {
  const authority = await ensureAuthority(dir, nowMs);
  const client = (name: string, commonName: string, organizations: string[]): Promise<KeyPair> =>
    ensureLeaf(dir, name, authority, { subject: { commonName, organizations }, usages: ["client"] }, nowMs);
  const [server, kubeletClient, admin] = await Promise.all([
    ensureLeaf(
      dir,
      "apiserver",
      authority,
      { subject: { commonName: "kube-apiserver" }, usages: ["server"], dnsNames, ipAddresses },
      nowMs,
    ),
    client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", ["system:masters"]),
    client("admin", "kubernetes-admin", ["system:masters"]),
  ]);
  const keyPath = join(dir, "sa.key");
  let serviceAccountKey = await readOrUndefined(keyPath);
  if (serviceAccountKey === undefined) {
    serviceAccountKey = await createSigningKey();
    await writeSecret(keyPath, serviceAccountKey);
  }
  return { authority, server, kubeletClient, admin, serviceAccountKey };
}

/** A node's two certificates: as a client (system:node:NAME) and as the server of :10250. */
export async function ensureNodePki(
  authority: KeyPair,
  options: { dir: string; nodeName: string; ipAddresses: readonly string[]; nowMs: number },
): Promise<{ client: KeyPair; server: KeyPair }> {
  const { dir, nodeName, ipAddresses, nowMs } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const subject = { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"] };
  const [client, server] = await Promise.all([
    ensureLeaf(dir, "kubelet-client", authority, { subject, usages: ["client"] }, nowMs),
    ensureLeaf(
      dir,
      "kubelet",
      authority,
      { subject, usages: ["server"], dnsNames: [nodeName], ipAddresses },
      nowMs,
    ),
  ]);
  return { client, server };
}
