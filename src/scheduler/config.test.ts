// KubeSchedulerConfiguration: what it switches, weighs and sets, and what it is told when it is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import { schedulerOptions, type SchedulerConfiguration } from "./config.ts";
import { defaultProfile } from "./plan/profile.ts";

const header = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };
const read = (config: Partial<SchedulerConfiguration>) => schedulerOptions({ ...header, ...config });
const told = (config: Partial<SchedulerConfiguration>): string[] =>
  read(config).errors.map(fieldErrorMessage);

test("nothing said: the default profile", () => {
  const { options, errors } = read({});
  assert.deepEqual(errors, []);
  assert.deepEqual(options.profiles, [defaultProfile]);
  assert.deepEqual(options.podBackoff, { initialMs: 1000, maxMs: 10_000 });
});

test("plug-ins on and off, weights, arguments, several profiles", () => {
  const { options, errors } = read({
    percentageOfNodesToScore: 30,
    podMaxBackoffSeconds: 60,
    profiles: [
      {},
      {
        schedulerName: "packing",
        plugins: {
          multiPoint: { disabled: [{ name: "ImageLocality" }] },
          score: { disabled: [{ name: "*" }], enabled: [{ name: "NodeResourcesFit", weight: 5 }] },
          filter: { disabled: [{ name: "TaintToleration" }] },
          postFilter: { disabled: [{ name: "DefaultPreemption" }] },
        },
        pluginConfig: [
          {
            name: "NodeResourcesFit",
            args: { scoringStrategy: { type: "MostAllocated", resources: [{ name: "cpu", weight: 3 }] } },
          },
          { name: "InterPodAffinity", args: { hardPodAffinityWeight: 7 } },
          {
            name: "PodTopologySpread",
            args: {
              defaultingType: "List",
              defaultConstraints: [{ topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" }],
            },
          },
        ],
      },
    ],
  });
  assert.deepEqual(errors, []);
  const [first, packing] = options.profiles ?? [];
  assert.equal(first?.schedulerName, "default-scheduler");
  assert.equal(first?.percentageOfNodesToScore, 30);
  assert.deepEqual([...(packing?.weights ?? [])], [["NodeResourcesFit", 5]]);
  assert.equal(packing?.filters.has("TaintToleration"), false);
  assert.equal(packing?.staticFilters.taintToleration, false);
  assert.equal(packing?.preempts, false);
  assert.deepEqual(packing?.strategy, { type: "MostAllocated", resources: [{ name: "cpu", weight: 3 }] });
  assert.equal(packing?.hardPodAffinityWeight, 7);
  assert.deepEqual(packing?.defaultConstraints, [
    {
      topologyKey: "zone",
      maxSkew: 1,
      minDomains: 1,
      honorsAffinity: true,
      honorsTaints: false,
      isHard: false,
    },
  ]);
  assert.equal(packing?.defaultsAreSystem, false);
  assert.equal(options.podBackoff?.maxMs, 60_000);
});

test("constraints that everybody has may be required, and name no selector", () => {
  const listed = (...defaultConstraints: object[]): Partial<SchedulerConfiguration> => ({
    profiles: [
      { pluginConfig: [{ name: "PodTopologySpread", args: { defaultingType: "List", defaultConstraints } }] },
    ],
  });
  const zone = { topologyKey: "zone", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule", minDomains: 3 };
  const { options, errors } = read(listed(zone));
  assert.deepEqual(errors, []);
  assert.deepEqual(options.profiles?.[0]?.defaultConstraints, [
    {
      topologyKey: "zone",
      maxSkew: 2,
      minDomains: 3,
      honorsAffinity: true,
      honorsTaints: false,
      isHard: true,
    },
  ]);
  const at = "profiles[0].pluginConfig[0].args.defaultConstraints";
  assert.deepEqual(told(listed(zone, zone)), [
    `${at}[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"`,
  ]);
  assert.deepEqual(told(listed({ ...zone, labelSelector: { matchLabels: { app: "a" } } })), [
    `${at}[0].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod`,
  ]);
  assert.deepEqual(told(listed({ maxSkew: 0, whenUnsatisfiable: "Perhaps", nodeTaintsPolicy: "Some" })), [
    `${at}[0].maxSkew: Invalid value: 0: not in valid range (0, inf)`,
    `${at}[0].topologyKey: Required value: can not be empty`,
    `${at}[0].whenUnsatisfiable: Unsupported value: "Perhaps": supported values: "DoNotSchedule", "ScheduleAnyway"`,
    `${at}[0].nodeTaintsPolicy: Unsupported value: "Some": supported values: "Honor", "Ignore"`,
  ]);
});

test("what a profile asks of the nodes of all its pods, and which resources it leaves to others", () => {
  const zone = (value: string): object => ({
    matchExpressions: [{ key: "zone", operator: "In", values: [value] }],
  });
  const config = (terms: object[]): Partial<SchedulerConfiguration> => ({
    profiles: [
      {
        pluginConfig: [
          {
            name: "NodeAffinity",
            args: {
              addedAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
                preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference: zone("b") }],
              },
            },
          },
          {
            name: "NodeResourcesFit",
            args: { ignoredResources: ["example.com/a"], ignoredResourceGroups: ["other.example"] },
          },
        ],
      },
    ],
  });
  const { options, errors } = read(config([zone("a")]));
  assert.deepEqual(errors, []);
  const [profile] = options.profiles ?? [];
  assert.equal(profile?.staticFilters.addedNodes?.terms.length, 1);
  assert.equal(profile?.addedPreferredNodes[0]?.weight, 5);
  assert.deepEqual([...(profile?.ignoredResources ?? [])], ["example.com/a", "other.example"]);
  assert.deepEqual(told(config([])), [
    "profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
  ]);
});

test("extenders: what they are asked, about whom, and for how long", () => {
  const { options, errors } = read({
    extenders: [
      {
        urlPrefix: "https://extender.example/v1",
        filterVerb: "filter",
        httpTimeout: "1m30s",
        enableHTTPS: true,
        tlsConfig: { insecure: true },
        managedResources: [{ name: "example.com/a" }, { name: "example.com/b", ignoredByScheduler: true }],
      },
    ],
  });
  assert.deepEqual(errors, []);
  assert.deepEqual(options.extenders, [
    {
      urlPrefix: "https://extender.example/v1",
      filterVerb: "filter",
      prioritizeVerb: "",
      preemptVerb: "",
      bindVerb: "",
      weight: 0,
      timeoutMs: 90_000,
      nodeCacheCapable: false,
      managedResources: new Set(["example.com/a", "example.com/b"]),
      ignorable: false,
      tls: { insecure: true },
    },
  ]);
  assert.deepEqual([...(options.profiles?.[0]?.ignoredResources ?? [])], ["example.com/b"]);
});

test("what is wrong is told with its path", () => {
  const rows: [Partial<SchedulerConfiguration>, RegExp][] = [
    [{ apiVersion: "v1" }, /^apiVersion: Unsupported value: "v1"/],
    [
      { percentageOfNodesToScore: 101 },
      /^percentageOfNodesToScore: Invalid value: 101: not in valid range \[0-100\]$/,
    ],
    [{ podInitialBackoffSeconds: 20 }, /^podMaxBackoffSeconds: Invalid value: 10/],
    [{ extenders: [{}] }, /^extenders\[0\]\.urlPrefix: Required value$/],
    [
      { extenders: [{ urlPrefix: "http://e", prioritizeVerb: "p" }] },
      /^extenders\[0\]\.weight: Invalid value: 0: must have a positive weight applied to it$/,
    ],
    [
      { extenders: [{ urlPrefix: "http://e", enableHTTPS: true }] },
      /^extenders\[0\]\.urlPrefix: Invalid value: "http:\/\/e": must begin with https:/,
    ],
    [
      { extenders: [{ urlPrefix: "http://e", managedResources: [{ name: "cpu" }] }] },
      /^extenders\[0\]\.managedResources\[0\]\.name: Invalid value: "cpu": is an invalid extended resource name$/,
    ],
    [
      { extenders: [{ urlPrefix: "http://e", httpTimeout: "soon" }] },
      /^extenders\[0\]\.httpTimeout: Invalid value: "soon"/,
    ],
    [
      {
        extenders: [
          { urlPrefix: "http://e", bindVerb: "b" },
          { urlPrefix: "http://f", bindVerb: "b" },
        ],
      },
      /^extenders: Invalid value: .*only one extender can implement bind$/,
    ],
    [{ profiles: [{}, {}] }, /^profiles\[1\]\.schedulerName: Duplicate value: "default-scheduler"/],
    [
      { profiles: [{ plugins: { score: { enabled: [{ name: "Luck" }] } } }] },
      /^profiles\[0\]\.plugins\.score\.enabled\[0\]\.name: Unsupported value: "Luck"/,
    ],
    [
      {
        profiles: [
          { pluginConfig: [{ name: "NodeResourcesFit", args: { scoringStrategy: { type: "Best" } } }] },
        ],
      },
      /^profiles\[0\]\.pluginConfig\[0\]\.args\.scoringStrategy\.type: Unsupported value: "Best"/,
    ],
    [
      {
        profiles: [
          {
            pluginConfig: [
              {
                name: "NodeResourcesFit",
                args: {
                  scoringStrategy: {
                    type: "RequestedToCapacityRatio",
                    requestedToCapacityRatio: {
                      shape: [
                        { utilization: 50, score: 1 },
                        { utilization: 40, score: 2 },
                      ],
                    },
                  },
                },
              },
            ],
          },
        ],
      },
      /shape\[1\]\.utilization: Invalid value: 40: utilization values must be sorted/,
    ],
  ];
  for (const [config, message] of rows) assert.match(told(config).join("\n"), message);
});
