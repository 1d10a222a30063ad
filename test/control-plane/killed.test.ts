// `leme server` as a process, `kill -9` while sixteen clients write over https, and again: afterwards every acknowledged
// write is there at its revision, so is all that a watch has shown, and revisions go on.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient, type Client, type ResourceRef } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { loadAccess } from "#client/kubeconfig.ts";
import { ConfigMaps, Services } from "#client/refs.ts";
import type { ConfigMap, Service } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { eventually } from "./control-plane.ts";

const main = join(import.meta.dirname, "../../src/cli/main.ts");
const writers = 16;
const rounds = 2;
const acknowledgedBeforeKill = 300;
/** Far more than fit on the full disk. */
const writesMax = 1_000;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "leme-killed-"));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Server {
  readonly process: ChildProcess;
  /** A connection of its own for each caller. */
  connect(): Promise<Client>;
  /** What it said on stderr. */
  errors(): string;
}

const running = new Set<ChildProcess>();
after(() => {
  for (const one of running) one.kill("SIGKILL");
});

/** A server on a data directory; `command` stands before the program. */
async function start(data: string, round: number, command: readonly string[] = []): Promise<Server> {
  const kubeconfig = join(folder, `${data}-kubeconfig-${round}`);
  const flags = ["--data-dir", join(folder, data), "--secure-port", "0", "--write-kubeconfig", kubeconfig];
  const program = [
    ...command,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    main,
    "server",
    ...flags,
  ];
  const server = spawn(program[0] as string, program.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  server.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  running.add(server);
  server.once("close", () => running.delete(server));
  const connect = async (): Promise<Client> =>
    createClient(createHttpsTransport(await loadAccess(kubeconfig)));
  await eventually(async () => {
    assert.equal(server.exitCode, null, "the server ended");
    // Written when the server listens.
    return readFile(kubeconfig).catch(() => undefined);
  });
  return { process: server, connect, errors: () => errors };
}

type State = { readonly uid: string; readonly revision: number; readonly count: string } | "gone";

/** What one client knows of its object: what was acknowledged, and what it asked for and heard nothing of. */
interface Known {
  readonly ref: ResourceRef;
  state: State;
  doubt?: "create" | "update" | "delete";
}

const revisionOf = (object: KubeObject): number => Number(object.metadata?.resourceVersion);
const countOf = (object: KubeObject): string => object.metadata?.labels?.["count"] ?? "";

/** All that the clients of a test know, by kind and name; and each acknowledged revision, with whose it is. */
class Knowledge {
  readonly objects = new Map<string, Known>();
  readonly revisions = new Map<number, string>();
  acknowledgements = 0;

  async act<T extends KubeObject>(
    key: string,
    ref: ResourceRef,
    doubt: "create" | "update" | "delete",
    call: () => Promise<T>,
  ): Promise<T> {
    const known = this.objects.get(key) ?? { ref, state: "gone" };
    this.objects.set(key, known);
    known.doubt = doubt;
    const answer = await call();
    delete known.doubt;
    this.acknowledgements++;
    if (doubt === "delete") known.state = "gone";
    else {
      const revision = revisionOf(answer);
      assert.ok(!this.revisions.has(revision), `revision ${revision} was acknowledged twice`);
      this.revisions.set(revision, key);
      known.state = { uid: answer.metadata?.uid ?? "", revision, count: countOf(answer) };
    }
    return answer;
  }
}

/** Creates, updates and deletes ConfigMaps, and creates Services, whose addresses are part of the same transaction. */
async function write(client: Client, prefix: string, knowledge: Knowledge): Promise<never> {
  const act = knowledge.act.bind(knowledge);
  for (let number = 0; ; number++) {
    const name = `${prefix}-${number}`;
    const key = `configmaps/${name}`;
    const metadata = { name, labels: { count: "1" } };
    const created = await act(key, ConfigMaps, "create", () =>
      client.create<ConfigMap>(ConfigMaps, "default", { metadata }),
    );
    const next: ConfigMap = { ...created, metadata: { ...created.metadata, labels: { count: "2" } } };
    await act(key, ConfigMaps, "update", () => client.update<ConfigMap>(ConfigMaps, next));
    if (number % 3 === 0)
      await act(key, ConfigMaps, "delete", () => client.delete(ConfigMaps, "default", name));
    if (number % 4 === 0)
      await act(`services/${name}`, Services, "create", () =>
        client.create<Service>(Services, "default", { metadata, spec: { ports: [{ port: 80 }] } }),
      );
  }
}

async function writeUntilKilled(server: Server, round: number, knowledge: Knowledge): Promise<void> {
  const goal = knowledge.acknowledgements + acknowledgedBeforeKill;
  let killed = false;
  let failed = false;
  const clients = await Promise.all(Array.from({ length: writers }, () => server.connect()));
  const writing = clients.map(async (client, writer) => {
    try {
      await write(client, `r${round}-w${writer}`, knowledge);
    } catch (error) {
      // With the server dead there is nobody to answer; anything else is a failure of the test.
      if (killed && !(error instanceof ApiError) && !(error instanceof assert.AssertionError)) return;
      failed = true;
      throw error;
    } finally {
      await client.transport.close();
    }
  });
  const kill = async (): Promise<void> => {
    while (!failed && knowledge.acknowledgements < goal)
      await new Promise((resolve) => setTimeout(resolve, 5));
    killed = true;
    server.process.kill("SIGKILL");
    if (server.process.signalCode === null) await once(server.process, "close");
  };
  await Promise.all([...writing, kill()]);
}

/** What is there must be what was acknowledged, or what was asked for after it. What was in doubt is known from here on. */
async function compare(client: Client, knowledge: Knowledge): Promise<number> {
  let listed = 0;
  const addresses = new Set<string>();
  for (const ref of [ConfigMaps, Services]) {
    const { items, metadata } = await client.list<Service>(ref, { namespace: "default" });
    listed = Math.max(listed, revisionOf({ metadata: metadata as KubeObject["metadata"] & object }));
    const stored = new Map(items.map((item) => [`${ref.resource}/${item.metadata?.name ?? ""}`, item]));
    for (const { spec } of ref === Services ? items : []) {
      assert.ok(!addresses.has(spec?.clusterIP ?? ""), `two Services have the address ${spec?.clusterIP}`);
      addresses.add(spec?.clusterIP ?? "");
    }
    for (const [key, known] of knowledge.objects) {
      if (known.ref === ref) settle(key, known, stored.get(key));
    }
  }
  for (const revision of knowledge.revisions.keys())
    assert.ok(listed >= revision, `lists are at ${listed}, ${revision} was acknowledged`);
  return listed;
}

function settle(key: string, known: Known, object: KubeObject | undefined): void {
  const { state, doubt } = known;
  delete known.doubt;
  const asAcknowledged =
    state === "gone"
      ? object === undefined
      : object?.metadata?.uid === state.uid &&
        revisionOf(object) === state.revision &&
        countOf(object) === state.count;
  if (asAcknowledged) return;
  const asDoubted =
    doubt === "delete"
      ? object === undefined
      : object !== undefined &&
        countOf(object) === (doubt === "create" ? "1" : "2") &&
        (state === "gone" || (object.metadata?.uid === state.uid && revisionOf(object) > state.revision));
  assert.ok(
    doubt !== undefined && asDoubted,
    `${key}: acknowledged ${JSON.stringify(state)}, in doubt ${doubt}, there is ${JSON.stringify(object?.metadata)}`,
  );
  known.state =
    object === undefined
      ? "gone"
      : { uid: object.metadata?.uid ?? "", revision: revisionOf(object), count: countOf(object) };
}

/** What a watch of all ConfigMaps showed until its server was dead: revision → whose it is, and if it is gone then. */
interface Shown {
  readonly events: Map<number, { readonly key: string; readonly deleted: boolean }>;
  readonly ended: Promise<void>;
}

async function watchUntilKilled(server: Server): Promise<Shown> {
  const client = await server.connect();
  const events: Shown["events"] = new Map();
  const { metadata } = await client.list(ConfigMaps, { namespace: "default" });
  let last = revisionOf({ metadata: metadata as KubeObject["metadata"] & object });
  const options = {
    namespace: "default",
    resourceVersion: String(last),
    signal: new AbortController().signal,
  };
  const follow = async (): Promise<void> => {
    for await (const batch of client.watch(ConfigMaps, options))
      for (const { type, object } of batch) {
        const revision = revisionOf(object);
        assert.ok(revision >= last, `after revision ${last} the watch showed ${revision}`);
        last = revision;
        if (type === "BOOKMARK") continue;
        assert.ok(!events.has(revision), `the watch showed revision ${revision} twice`);
        events.set(revision, {
          key: `configmaps/${object.metadata?.name ?? ""}`,
          deleted: type === "DELETED",
        });
      }
  };
  const ended = follow()
    .catch((error: unknown) => {
      // The connection ends with the server.
      if (error instanceof ApiError || error instanceof assert.AssertionError) throw error;
    })
    .finally(() => client.transport.close());
  return { events, ended };
}

/** Nobody hears of what may get lost: what was shown is there, and up to its end the watch showed all of it. */
function compareShown({ events }: Shown, knowledge: Knowledge): void {
  const [first = 0, last = 0] = [[...events.keys()].at(0), [...events.keys()].at(-1)];
  for (const [revision, key] of knowledge.revisions)
    if (revision >= first && revision <= last && key.startsWith("configmaps/"))
      assert.equal(events.get(revision)?.key, key, `the watch did not show revision ${revision}`);
  for (const [revision, { key, deleted }] of events) {
    const state = knowledge.objects.get(key)?.state;
    if (state === undefined) continue; // not of these writers
    const asShown = state === "gone" || (!deleted && state.revision >= revision);
    assert.ok(asShown, `${key} was shown at revision ${revision}, there is ${JSON.stringify(state)}`);
  }
}

test("kill -9 of the server while clients write", async (t) => {
  const knowledge = new Knowledge();
  let server = await start("killed", 0);
  let client = await server.connect();
  for (let round = 1; round <= rounds; round++) {
    await client.transport.close();
    const shown = await watchUntilKilled(server);
    await writeUntilKilled(server, round, knowledge);
    await shown.ended;
    server = await start("killed", round);
    client = await server.connect();
    const listed = await compare(client, knowledge);
    compareShown(shown, knowledge);
    assert.ok(shown.events.size > 0 && Math.max(...shown.events.keys()) <= listed);
    const marker = await client.create<ConfigMap>(ConfigMaps, "default", {
      metadata: { name: `after-${round}` },
    });
    assert.ok(revisionOf(marker) > listed, "a new write got an old revision");
    t.diagnostic(`round ${round}: ${knowledge.acknowledgements} writes acknowledged so far, all there`);
  }
  await client.transport.close();
  server.process.kill("SIGTERM");
  if (server.process.exitCode === null) await once(server.process, "close");
});

test("a full disk: the server ends, says why, and goes on with everything when there is room", async () => {
  // A limit on the size of each file fails a write as a full disk does, in the middle of what is written.
  const full = await start("full", 0, ["sh", "-c", 'ulimit -f 3000; exec "$@"', "sh"]);
  const ended = once(full.process, "close");
  const client = await full.connect();
  const name = (number: number): string => `big-${number}`;
  const text = "x".repeat(20_000);
  let acknowledged = 0;
  await assert.rejects(async () => {
    for (; acknowledged < writesMax; acknowledged++)
      await client.create<ConfigMap>(ConfigMaps, "default", {
        metadata: { name: name(acknowledged) },
        data: { text },
      });
  }, /failed to write, and is closed until it is opened again|connection|socket|ECONN|session/i);
  await client.transport.close();
  assert.deepEqual(await ended, [1, null]);
  assert.match(full.errors(), /^error: the store in .* failed to write/m);
  const roomy = await start("full", 1);
  const again = await roomy.connect();
  const { items } = await again.list<ConfigMap>(ConfigMaps, { namespace: "default" });
  const names = new Set(items.map(({ metadata }) => metadata?.name));
  assert.ok(acknowledged > 0);
  for (let number = 0; number < acknowledged; number++) assert.ok(names.has(name(number)), name(number));
  await again.create<ConfigMap>(ConfigMaps, "default", { metadata: { name: "room" } });
  await again.transport.close();
  roomy.process.kill("SIGTERM");
  if (roomy.process.exitCode === null) await once(roomy.process, "close");
});
