// Priority classes: the system's own, the class of pods that name none, and what pods get of them.

import assert from "node:assert/strict";
import { idlePod, mergePatch, names, overEveryTransport, type Place } from "./conformance.ts";

const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
const systemClass = `${classes}/system-cluster-critical`;

/** A class of this test's own; names of different tests differ, as classes have no namespace. */
async function classOf(place: Place, name: string, more: object = {}): Promise<string> {
  const full = `${name}-${place.namespace}`;
  await place.expect(201, "POST", classes, { metadata: { name: full }, value: 1000, ...more });
  return full;
}

const priorityOf = async (place: Place, pod: object): Promise<unknown[]> => {
  const { spec } = (await place.expect(201, "POST", place.at("pods"), pod)).json;
  return [spec.priorityClassName, spec.priority, spec.preemptionPolicy];
};

overEveryTransport((check) => {
  check("the system's classes are there, and stay", async (place) => {
    const found = (await place.expect(200, "GET", classes)).json;
    for (const name of ["system-cluster-critical", "system-node-critical"])
      assert.ok(names(found).includes(name), `${name} is there`);
    const refused = await place.expect(403, "DELETE", systemClass);
    assert.equal(
      refused.json.message,
      'priorityclasses.scheduling.k8s.io "system-cluster-critical" is forbidden: this is a system priority class and cannot be deleted',
    );
  });

  check("a class can be operated with every method, but for its value", async (place) => {
    const name = await classOf(place, "endpoints", { description: "first" });
    const url = `${classes}/${name}`;
    const read = (await place.expect(200, "GET", url)).json;
    assert.equal(read.metadata.generation, 1);
    assert.equal(read.preemptionPolicy, "PreemptLowerPriority");
    const changed = await place.expect(422, "PUT", url, { ...read, value: 2000 });
    assert.deepEqual(changed.json.details.causes, [
      {
        reason: "FieldValueForbidden",
        message: "Forbidden: may not be changed in an update.",
        field: "value",
      },
    ]);
    await place.expect(422, "PATCH", url, { value: 2000 }, mergePatch);
    const patched = await place.expect(200, "PATCH", url, { description: "second" }, mergePatch);
    assert.equal(patched.json.description, "second");
    assert.equal(patched.json.value, 1000);
    await place.expect(200, "DELETE", url);
    await place.expect(404, "GET", url);
  });

  check("pods get the number of their class", async (place) => {
    const high = await classOf(place, "high", { preemptionPolicy: "Never" });
    assert.deepEqual(await priorityOf(place, idlePod("plain")), [undefined, 0, "PreemptLowerPriority"]);
    const named = idlePod("named", { priorityClassName: high });
    assert.deepEqual(await priorityOf(place, named), [high, 1000, "Never"]);
    const system = idlePod("system", { priorityClassName: "system-node-critical" });
    assert.deepEqual(await priorityOf(place, system), [
      "system-node-critical",
      2_000_001_000,
      "PreemptLowerPriority",
    ]);
    const refused: readonly (readonly [more: object, why: string])[] = [
      [{ priorityClassName: "unknown" }, "no PriorityClass with name unknown was found"],
      [
        { priorityClassName: high, priority: 7 },
        "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name",
      ],
      [
        { priorityClassName: high, preemptionPolicy: "PreemptLowerPriority" },
        "the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name",
      ],
    ];
    for (const [more, why] of refused) {
      const answer = await place.expect(403, "POST", place.at("pods"), idlePod("refused", more));
      assert.equal(answer.json.message, `pods "refused" is forbidden: ${why}`);
    }
  });

  check("one class is for pods that name none", async (place) => {
    const chosen = await classOf(place, "chosen", { globalDefault: true });
    try {
      assert.deepEqual(await priorityOf(place, idlePod("plain")), [chosen, 1000, "PreemptLowerPriority"]);
      const second = { metadata: { name: `second-${place.namespace}` }, value: 1, globalDefault: true };
      const answer = await place.expect(403, "POST", classes, second);
      assert.equal(
        answer.json.message,
        `priorityclasses.scheduling.k8s.io "second-${place.namespace}" is forbidden: PriorityClass ${chosen} is already marked as default. Only one default can exist`,
      );
      await place.expect(200, "PATCH", `${classes}/${chosen}`, { description: "x" }, mergePatch);
    } finally {
      await place.expect(200, "DELETE", `${classes}/${chosen}`);
    }
  });

  check("a pod keeps its priority where a client leaves it out", async (place) => {
    const high = await classOf(place, "kept");
    const url = `${place.at("pods")}/kept`;
    const pod = (
      await place.expect(201, "POST", place.at("pods"), idlePod("kept", { priorityClassName: high }))
    ).json;
    delete pod.spec.priority;
    delete pod.spec.preemptionPolicy;
    pod.metadata.labels = { a: "b" };
    const { spec } = (await place.expect(200, "PUT", url, pod)).json;
    assert.deepEqual([spec.priority, spec.preemptionPolicy], [1000, "PreemptLowerPriority"]);
  });
});
