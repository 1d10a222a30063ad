// Real kubectls, 1.36, 1.32 and (for what it knows) 1.20, against this server, each through the same script: apply of both
// kinds, diff, patches of every type, explain of every kind, waits, custom resources.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubectlVersions, realKubectl, type KubectlVersion } from "../reference-clients.ts";
import { startClientCluster, type ClientCluster } from "./client-cluster.ts";

/** What one command must do: its output matches, or it fails and its errors match. */
interface Expectation {
  readonly prints?: string | RegExp;
  readonly fails?: string | RegExp;
  /** The exit status where it is not 0, or 1 for `fails`. */
  readonly code?: number;
}
type Row = readonly [line: string, expected: string | RegExp | Expectation];

for (const version of kubectlVersions) script(version);

function script(version: KubectlVersion): void {
  const binary = realKubectl(version) ?? "";
  const isOld = version === "1.20";
  describe(`kubectl ${version}`, { skip: binary === "" && `no kubectl ${version} here` }, () => {
    let plane: ClientCluster;
    before(async () => {
      plane = await startClientCluster();
    });
    after(() => plane.stop());

    const rows = async (list: readonly Row[]): Promise<void> => {
      for (const [line, expected] of list) {
        const isShort = typeof expected === "string" || expected instanceof RegExp;
        const {
          prints,
          fails,
          code = fails === undefined ? 0 : 1,
        }: Expectation = isShort ? { prints: expected } : expected;
        // 1.20 asks the server's OpenAPI v2 document about every object, and does not know today's documents.
        const flags = isOld && /^(?:apply|create|replace) -/.test(line) ? " --validate=false" : "";
        const found = await plane.run(binary, line + flags);
        const told = `kubectl ${line}\n${found.stdout}${found.stderr}`;
        assert.equal(found.code, code, told);
        for (const [text, wanted] of [
          [found.stdout, prints],
          [found.stderr, fails],
        ] as const) {
          if (typeof wanted === "string") assert.equal(text, wanted, told);
          else if (wanted !== undefined) assert.match(text, wanted, told);
        }
      }
    };

    const inVersion = { skip: isOld && "not in kubectl 1.20" };

    test("apply on the client: created, unchanged, configured; diff before and after", () =>
      rows([
        [
          "apply -f manifests/web.yaml",
          "configmap/settings created\nservice/web created\ndeployment.apps/web created\n",
        ],
        [
          "apply -f manifests/web.yaml",
          "configmap/settings unchanged\nservice/web unchanged\ndeployment.apps/web unchanged\n",
        ],
        ["diff -f manifests/web.yaml", ""],
        [
          "diff -f manifests/web-changed.yaml",
          {
            code: 1,
            prints: /- {2}replicas: 2\n\+ {2}replicas: 3\n[^]*- {2}colour: blue\n\+ {2}colour: red\n/,
          },
        ],
        [
          "apply -f manifests/web-changed.yaml --dry-run=server",
          "configmap/settings configured (server dry run)\nservice/web unchanged (server dry run)\ndeployment.apps/web configured (server dry run)\n",
        ],
        ["get deployment web -o jsonpath={.spec.replicas}", "2"],
        [
          "apply -f manifests/web-changed.yaml",
          "configmap/settings configured\nservice/web unchanged\ndeployment.apps/web configured\n",
        ],
        ["get deployment web -o jsonpath={.spec.replicas},{.metadata.generation}", "3,2"],
        ["get deployment web", /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/3 +0 +0 +\S+\n$/],
        ["apply view-last-applied configmap/settings", /colour: red/],
      ]));

    test("apply on the server: ownership, conflicts, force", () =>
      rows([
        ["apply --server-side -f manifests/boat-notes.yaml", "configmap/notes serverside-applied\n"],
        [
          "apply --server-side --field-manager=other -f manifests/boat-notes.yaml",
          "configmap/notes serverside-applied\n",
        ],
        [
          "apply --server-side --field-manager=third -f manifests/boat-notes-changed.yaml",
          { fails: /conflicts? with[^]*\.data\.wind/ },
        ],
        ["get configmap notes -o jsonpath={.data.wind}", "north"],
        [
          "apply --server-side --field-manager=third --force-conflicts -f manifests/boat-notes-changed.yaml",
          "configmap/notes serverside-applied\n",
        ],
        ["get configmap notes -o jsonpath={.data.wind}", "south"],
        ["diff --server-side --field-manager=third -f manifests/boat-notes-changed.yaml", ""],
      ]));

    test("patches of every type, and what edits like them", () =>
      rows([
        [
          `patch configmap settings --type=json -p '[{"op":"replace","path":"/data/colour","value":"green"}]'`,
          "configmap/settings patched\n",
        ],
        [
          `patch configmap settings --type=merge -p '{"data":{"size":null,"shape":"round"}}'`,
          "configmap/settings patched\n",
        ],
        ["get configmap settings -o jsonpath={.data}", '{"colour":"green","shape":"round"}'],
        [
          `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"log","image":"example.com/log:2"}]}}}}'`,
          "deployment.apps/web patched\n",
        ],
        [
          "get deployment web -o jsonpath={.spec.template.spec.containers[*].image}",
          "example.com/web:2 example.com/log:2",
        ],
        [
          `patch deployment web -p '{"spec":{"replicas":-1}}'`,
          {
            fails:
              /^The Deployment "web" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0\n$/,
          },
        ],
        ["set image deployment/web web=example.com/web:3", "deployment.apps/web image updated\n"],
        ["set env deployment/web MODE=test", "deployment.apps/web env updated\n"],
        ["label deployment web tier=front", "deployment.apps/web labeled\n"],
        ["annotate deployment web note=x", "deployment.apps/web annotated\n"],
        ["scale deployment web --replicas=5", "deployment.apps/web scaled\n"],
        [
          "get deployment web -o jsonpath={.spec.replicas},{.metadata.labels.tier},{.metadata.annotations.note}",
          "5,front,x",
        ],
        [
          "autoscale deployment web --min=2 --max=4 --cpu-percent=70",
          { prints: /horizontalpodautoscaler.autoscaling\/web autoscaled\n/ },
        ],
        ["get hpa web -o jsonpath={.spec.minReplicas},{.spec.maxReplicas}", "2,4"],
        ["delete hpa web", /horizontalpodautoscaler.autoscaling "web" deleted/],
        ["replace -f manifests/web-changed.yaml", /deployment.apps\/web replaced\n$/],
        ["replace --force -f manifests/boat-notes.yaml", { prints: /configmap\/notes replaced\n$/ }],
      ]));

    test("the status, by itself", inVersion, () =>
      rows([
        [
          `patch deployment web --subresource=status --type=merge -p '{"status":{"replicas":3,"readyReplicas":3,"availableReplicas":3,"updatedReplicas":3,"observedGeneration":99,"conditions":[{"type":"Available","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","lastUpdateTime":"2026-01-01T00:00:00Z"}]},"spec":{"replicas":9}}'`,
          "deployment.apps/web patched\n",
        ],
        ["get deployment web -o jsonpath={.spec.replicas},{.status.readyReplicas}", "3,3"],
        [
          "wait --for=condition=Available deployment/web --timeout=20s",
          "deployment.apps/web condition met\n",
        ],
        [
          "wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=20s",
          "deployment.apps/web condition met\n",
        ],
        [
          "get deployment web --subresource=scale -o jsonpath={.kind},{.spec.replicas},{.status.selector}",
          "Scale,3,app=web",
        ],
      ]),
    );

    test("a custom resource: defined, used, changed, refused, explained", () =>
      rows([
        [
          "apply -f manifests/crd.yaml",
          "customresourcedefinition.apiextensions.k8s.io/boats.sea.example.com created\n",
        ],
        [
          "wait --for=condition=Established crd/boats.sea.example.com --timeout=20s",
          "customresourcedefinition.apiextensions.k8s.io/boats.sea.example.com condition met\n",
        ],
        ["get boats", { fails: "No resources found in default namespace.\n", code: 0 }],
        ["apply -f manifests/boat.yaml", "boat.sea.example.com/alba created\n"],
        // Defaults in a list make it look changed to kubectl, which does not know how the lists of custom resources merge.
        ["apply -f manifests/boat.yaml", "boat.sea.example.com/alba configured\n"],
        ["get boat alba -o jsonpath={.metadata.generation}", "1"],
        ["get bt", /^NAME +LENGTH +RIG\nalba +9 +sloop\n$/],
        ["get fleet -o name", "boat.sea.example.com/alba\n"],
        ["get boat alba -o jsonpath={.spec.crew},{.spec.ports[0].nights},{.metadata.generation}", "1,1,1"],
        [
          "apply -f manifests/boat-wrong.yaml",
          {
            fails:
              /spec\.length: Invalid value: 2: spec\.length in body should be greater than or equal to 3[^]*spec\.ports\[0\]\.name: Required value/,
          },
        ],
        [
          `patch boat alba --type=merge -p '{"spec":{"rig":"schooner"}}'`,
          { fails: /spec: Invalid value: a schooner is at least 10 metres long/ },
        ],
        [`patch boat alba --type=merge -p '{"spec":{"length":8}}'`, { fails: /boats do not shrink/ }],
        [
          `patch boat alba --type=json -p '[{"op":"replace","path":"/spec/length","value":12}]'`,
          "boat.sea.example.com/alba patched\n",
        ],
        [
          `patch boat alba -p '{"spec":{"rig":"ketch"}}'`,
          { fails: /strategic-merge-patch|strategic merge patch|media type/ },
        ],
        ["scale boat alba --replicas=4", "boat.sea.example.com/alba scaled\n"],
        ["get boat alba -o jsonpath={.spec.crew},{.metadata.generation}", "4,3"],
        ["explain boat.spec.length", /DESCRIPTION:\n +Length over all, in metres\./],
        ["label boat alba fast=yes", "boat.sea.example.com/alba labeled\n"],
      ]));

    test("a custom resource: applied on the server, selected by field", inVersion, () =>
      rows([
        ["apply --server-side --field-manager=mate -f manifests/boat-crewed.yaml", { fails: /conflict/ }],
        [
          "apply --server-side --field-manager=mate --force-conflicts -f manifests/boat-crewed.yaml",
          "boat.sea.example.com/alba serverside-applied\n",
        ],
        [
          "apply --server-side --field-manager=cook -f manifests/boat-provisioned.yaml",
          "boat.sea.example.com/alba serverside-applied\n",
        ],
        ["get boat alba -o jsonpath={.spec.ports[*].name}", "porto funchal"],
        ["get boats --field-selector=spec.rig=sloop -o name", "boat.sea.example.com/alba\n"],
        ["get boats --field-selector=spec.rig=ketch -o name", ""],
        [
          `patch boat alba --subresource=status --type=merge -p '{"status":{"phase":"Sailing"},"spec":{"crew":9}}'`,
          "boat.sea.example.com/alba patched\n",
        ],
        ["get boat alba -o jsonpath={.spec.crew},{.status.phase}", "4,Sailing"],
      ]),
    );

    test("a definition goes, and its objects with it", () =>
      rows([
        [
          "delete crd boats.sea.example.com --timeout=30s",
          /customresourcedefinition.apiextensions.k8s.io "boats.sea.example.com" deleted/,
        ],
        ["get boats", { fails: /could not find the requested resource|doesn't have a resource type/ }],
      ]));

    test("every kind is listed, explained and described", async () => {
      const { stdout } = await plane.run(binary, "api-resources --no-headers -o wide");
      const kinds = stdout
        .trim()
        .split("\n")
        .map((line) => {
          const words = line.trim().split(/\s+/);
          const at = words.findIndex((word) => word === "true" || word === "false");
          return { name: words[0] ?? "", version: words[at - 1] ?? "" };
        });
      assert.ok(kinds.length > 20, stdout);
      for (const { name, version: apiVersion } of kinds) {
        // It takes the first group's kind of this name.
        if (isOld && apiVersion === "metrics.k8s.io/v1beta1") continue;
        const full = `${name} of ${apiVersion}`;
        const explained = await plane.run(binary, `explain ${name} --api-version=${apiVersion}`);
        assert.equal(explained.code, 0, `explain ${full}: ${explained.stderr}`);
        assert.match(explained.stdout, /DESCRIPTION:\n +\S/, full);
        assert.match(explained.stdout, /FIELDS:\n(?:[^]*\n)? +apiVersion/, full);
        assert.doesNotMatch(explained.stdout, /<empty>/, full);
      }
    });

    test("watches end with what they wait for", () =>
      rows([
        ["delete -f manifests/web.yaml --wait=true --timeout=30s", /deployment.apps "web" deleted/],
        ...(isOld ? [] : [["wait --for=delete deployment/web --timeout=20s", { prints: /^/ }] as Row]),
        ["get deployments,services,configmaps -l app=web -o name", ""],
        ["get deployment web", { fails: 'Error from server (NotFound): deployments.apps "web" not found\n' }],
      ]));
  });
}
