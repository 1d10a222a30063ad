// What is changed or refused between decoding and the store: namespaces that go, accounts, tolerations, addresses, the
// spellings of 2016.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { container, idlePod, mergePatch, overEveryTransport, type Place } from "./conformance.ts";

const recipes = join(import.meta.dirname, "../../examples/tutorial");
const yamlType = { "content-type": "application/yaml" };

interface Toleration {
  readonly key?: string;
  readonly tolerationSeconds?: number;
}

const service = (name: string, spec: object): object => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});

async function recipe(place: Place, file: string, resource: string, query = "") {
  const text = await readFile(join(recipes, file), "utf8");
  return place.ask("POST", `${place.at(resource)}${query}`, { body: text, headers: yamlType });
}

overEveryTransport((check) => {
  check(
    "nothing new in a namespace that goes, and what is there stays until it is told to",
    async (place) => {
      await place.put("kept");
      const held = { metadata: { finalizers: ["x.example/wait"] } };
      await place.expect(200, "PATCH", `${place.at("configmaps")}/kept`, held, mergePatch);
      await place.expect(200, "DELETE", `/api/v1/namespaces/${place.namespace}`);
      const { json } = await place.expect(403, "POST", place.at("configmaps"), {
        metadata: { name: "late" },
      });
      const why = `because it is being terminated`;
      assert.equal(
        json.message,
        `configmaps "late" is forbidden: unable to create new content in namespace ${place.namespace} ${why}`,
      );
      assert.equal(json.reason, "Forbidden");
      assert.deepEqual(json.details, {
        name: "late",
        kind: "configmaps",
        causes: [
          {
            reason: "NamespaceTerminating",
            message: `namespace ${place.namespace} is being terminated`,
            field: "metadata.namespace",
          },
        ],
      });
      const pod = await place.expect(403, "POST", place.at("pods"), { metadata: { name: "bad" }, spec: {} });
      assert.match(pod.json.message, /unable to create new content/, "before anything else is looked at");
      await place.expect(200, "PATCH", `${place.at("configmaps")}/kept`, { data: { x: "1" } }, mergePatch);
      await place.expect(
        200,
        "PATCH",
        `${place.at("configmaps")}/kept`,
        { metadata: { finalizers: null } },
        mergePatch,
      );
    },
  );

  check("the namespaces of the system stay", async (place) => {
    for (const name of ["default", "kube-system", "kube-public"]) {
      const { json } = await place.expect(403, "DELETE", `/api/v1/namespaces/${name}`);
      assert.equal(
        json.message,
        `namespaces ${JSON.stringify(name)} is forbidden: this namespace may not be deleted`,
      );
    }
  });

  check("a namespace has its account and the cluster's certificate", async (place) => {
    await place.expect(200, "GET", `${place.at("serviceaccounts")}/default`);
    const { json } = await place.expect(200, "GET", `${place.at("configmaps")}/kube-root-ca.crt`);
    assert.equal(json.data["ca.crt"], place.api.plane.pki.authority.certificate);
  });

  check("a pod gets its account, its token and its tolerations", async (place) => {
    const { json } = await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    const { spec } = json;
    assert.deepEqual([spec.serviceAccountName, spec.serviceAccount], ["default", "default"]);
    const [volume] = spec.volumes;
    assert.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/);
    assert.deepEqual(volume.projected, {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
      defaultMode: 420,
    });
    assert.deepEqual(spec.containers[0].volumeMounts, [
      { name: volume.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ]);
    assert.deepEqual(spec.tolerations, [
      {
        key: "node.kubernetes.io/not-ready",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
      {
        key: "node.kubernetes.io/unreachable",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
    ]);
  });

  check("what a pod says about tokens and tolerations counts", async (place) => {
    const quiet = await place.expect(
      201,
      "POST",
      place.at("pods"),
      idlePod("p", { automountServiceAccountToken: false }),
    );
    assert.equal(quiet.json.spec.volumes, undefined);
    const own = {
      key: "node.kubernetes.io/not-ready",
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 5,
    };
    const some = await place.expect(201, "POST", place.at("pods"), idlePod("q", { tolerations: [own] }));
    assert.deepEqual(
      some.json.spec.tolerations.map(({ key, tolerationSeconds }: Toleration) => [key, tolerationSeconds]),
      [
        ["node.kubernetes.io/not-ready", 5],
        ["node.kubernetes.io/unreachable", 300],
      ],
    );
    const all = await place.expect(
      201,
      "POST",
      place.at("pods"),
      idlePod("r", { tolerations: [{ operator: "Exists" }] }),
    );
    assert.equal(all.json.spec.tolerations.length, 1);
    const account = {
      metadata: { name: "shy" },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "s" }],
    };
    await place.expect(201, "POST", place.at("serviceaccounts"), account);
    const shy = await place.expect(
      201,
      "POST",
      place.at("pods"),
      idlePod("s", { serviceAccountName: "shy" }),
    );
    assert.equal(shy.json.spec.volumes, undefined);
    assert.deepEqual(shy.json.spec.imagePullSecrets, [{ name: "s" }]);
  });

  check("a Service is given an address, and keeps it", async (place) => {
    const made = (await place.expect(201, "POST", place.at("services"), service("a", {}))).json;
    assert.match(made.spec.clusterIP, /^10\.96\.\d+\.\d+$/);
    assert.deepEqual(made.spec.clusterIPs, [made.spec.clusterIP]);
    assert.deepEqual(
      [
        made.spec.type,
        made.spec.sessionAffinity,
        made.spec.internalTrafficPolicy,
        made.spec.ipFamilyPolicy,
        made.spec.ipFamilies,
      ],
      ["ClusterIP", "None", "Cluster", "SingleStack", ["IPv4"]],
    );
    assert.deepEqual(made.spec.ports, [{ protocol: "TCP", port: 80, targetPort: 80 }]);
    assert.deepEqual(made.status, { loadBalancer: {} });
    const url = `${place.at("services")}/a`;
    const kept = await place.expect(200, "PUT", url, service("a", { selector: { x: "y" } }));
    assert.equal(kept.json.spec.clusterIP, made.spec.clusterIP);
    const moved = await place.expect(422, "PUT", url, service("a", { clusterIP: "10.96.77.77" }));
    assert.match(
      moved.json.message,
      /spec\.clusterIPs\[0\]: Invalid value: \["10\.96\.77\.77"\]: may not change once set/,
    );
    const typed = await place.expect(200, "PATCH", url, { spec: { type: "NodePort" } }, mergePatch);
    const { nodePort } = typed.json.spec.ports[0];
    assert.ok(nodePort >= 30_000 && nodePort <= 32_767);
    assert.equal(typed.json.spec.externalTrafficPolicy, "Cluster");
    const back = await place.expect(200, "PATCH", url, { spec: { type: "ClusterIP" } }, mergePatch);
    assert.equal(back.json.spec.ports[0].nodePort, undefined, "a port that nobody asked for is given back");
    await place.expect(
      201,
      "POST",
      place.at("services"),
      service("b", { type: "NodePort", ports: [{ port: 80, nodePort }] }),
    );
    const headless = (
      await place.expect(201, "POST", place.at("services"), service("c", { clusterIP: "None" }))
    ).json;
    assert.deepEqual([headless.spec.clusterIP, headless.spec.clusterIPs], ["None", ["None"]]);
  });

  check("addresses and ports are given once", async (place) => {
    const two = (await place.expect(201, "POST", place.at("services"), service("a", { type: "NodePort" })))
      .json.spec;
    const again = (spec: object) => place.expect(422, "POST", place.at("services"), service("b", spec));
    const ip = await again({ clusterIP: two.clusterIP });
    assert.equal(
      ip.json.message,
      `Service "b" is invalid: spec.clusterIPs: Invalid value: ["${two.clusterIP}"]: failed to allocate IP ${two.clusterIP}: provided IP is already allocated`,
    );
    assert.deepEqual(
      ip.json.details.causes.map(({ reason, field }: { reason: string; field: string }) => [reason, field]),
      [["FieldValueInvalid", "spec.clusterIPs"]],
    );
    const port = two.ports[0].nodePort as number;
    const taken = await again({ type: "NodePort", ports: [{ port: 80, nodePort: port }] });
    assert.equal(
      taken.json.message,
      `Service "b" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
    );
    const udp = { type: "NodePort", ports: [{ port: 53, nodePort: port, protocol: "UDP" }] };
    await place.expect(201, "POST", place.at("services"), service("c", udp));
    const many = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        place.ask("POST", place.at("services"), { body: service(`m${at}`, { clusterIP: "10.96.44.44" }) }),
      ),
    );
    const made = many.filter(({ status }) => status === 201);
    assert.ok(made.length <= 1, "of many at once at most one has it");
    for (const { json } of made)
      await place.expect(200, "DELETE", `${place.at("services")}/${json.metadata.name}`);
  });

  check("recipes of 2016 are taken, with words about today's fields", async (place) => {
    for (const query of ["", "?fieldValidation=Strict"]) {
      const pod = await recipe(place, "crontab-pod.yaml", "pods", query);
      assert.equal(pod.status, 201, pod.text);
      for (const words of ["metadata.name", "unknown field"])
        assert.ok(pod.headers["warning"]?.includes(words), words);
      await place.expect(200, "DELETE", `${place.at("pods")}/${pod.json.metadata.name}`, {
        gracePeriodSeconds: 0,
      });
    }
    const refused = await recipe(place, "nginx-service.yaml", "services", "?fieldValidation=Strict");
    assert.equal(refused.status, 422, refused.text);
    assert.match(
      refused.json.message,
      /spec\.externalIPs\[0\]: Invalid value: "xxx\.xxx\.xxx\.xxx": must be a valid IP address/,
    );
    const old = {
      id: "web",
      metadata: { name: "web" },
      spec: { ports: [{ port: 80 }], publicIPs: ["10.142.0.9"] },
    };
    const made = await place.expect(201, "POST", `${place.at("services")}?fieldValidation=Strict`, old);
    assert.deepEqual(made.json.spec.externalIPs, ["10.142.0.9"]);
    assert.equal(made.json.spec.publicIPs, undefined);
    assert.match(made.headers["warning"] ?? "", /spec\.publicIPs.*spec\.externalIPs/);
    const other = await place.expect(400, "POST", `${place.at("services")}?fieldValidation=Strict`, {
      ...old,
      kin: 1,
    });
    assert.match(other.json.message, /strict decoding error: unknown field "kin"/);
  });

  check("a controller is completed from its template", async (place) => {
    const template = { metadata: { labels: { app: "web" } }, spec: { containers: [container] } };
    const { json } = await place.expect(201, "POST", place.at("replicationcontrollers"), {
      metadata: { name: "rc" },
      spec: { template },
    });
    assert.deepEqual(
      [json.spec.replicas, json.spec.selector, json.metadata.labels, json.status],
      [1, { app: "web" }, { app: "web" }, { replicas: 0 }],
    );
    const { spec } = json.spec.template;
    assert.deepEqual(
      [
        spec.restartPolicy,
        spec.dnsPolicy,
        spec.terminationGracePeriodSeconds,
        spec.schedulerName,
        spec.securityContext,
      ],
      ["Always", "ClusterFirst", 30, "default-scheduler", {}],
    );
    assert.equal(spec.containers[0].imagePullPolicy, "Always", "no tag is the latest");
  });
});
