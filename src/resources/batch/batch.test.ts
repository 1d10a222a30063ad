// Job and CronJob: what is refused and why, defaults, the selector that is made, rows; schedules.

import assert from "node:assert/strict";
import { test } from "node:test";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { cronJob } from "./cron-job.ts";
import { CronError, parseCron } from "./cron-schedule.ts";
import { job } from "./job.ts";

const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
const minimal = { metadata: { name: "j", namespace: "default" }, spec: { template } };
const indexed = withField(withField(minimal, "spec.completionMode", "Indexed"), "spec.completions", 5);

const rows: readonly (readonly [name: string, path: string, value: unknown, ...errors: string[]])[] = [
  [
    "fewer than none",
    "spec.completions",
    -1,
    "spec.completions: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "patience below zero",
    "spec.backoffLimit",
    -1,
    "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "an unknown mode",
    "spec.completionMode",
    "Both",
    'spec.completionMode: Unsupported value: "Both": supported values: "NonIndexed", "Indexed"',
  ],
  [
    "pods that restart",
    "spec.template.spec.restartPolicy",
    "Always",
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    "limits per index without indexes",
    "spec.backoffLimitPerIndex",
    1,
    "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
  ],
  [
    "failed indexes without a limit of each",
    "spec.maxFailedIndexes",
    1,
    "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
    "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
  ],
  [
    "nobody's manager",
    "spec.managedBy",
    "me",
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    "a policy of restarting pods",
    "spec",
    {
      template: withField(template, "spec.restartPolicy", "OnFailure"),
      podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [1] } }] },
    },
    'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ],
  [
    "a policy of nothing",
    "spec.podFailurePolicy",
    { rules: [{ action: "Stop", onPodConditions: [] }] },
    'spec.podFailurePolicy.rules[0].action: Unsupported value: "Stop": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
  ],
  [
    "exit codes in no order, one of them twice, one a success",
    "spec.podFailurePolicy",
    { rules: [{ action: "Count", onExitCodes: { containerName: "x", operator: "In", values: [3, 0, 3] } }] },
    'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
    "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
    "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3",
    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
  ],
  [
    "a success without indexes",
    "spec.successPolicy",
    { rules: [{ succeededCount: 1 }] },
    'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: requires indexed completion mode',
  ],
];

test("Job: valid", () => assert.deepEqual([refused(job, minimal), refused(job, indexed)], [[], []]));
for (const [name, path, value, ...errors] of rows)
  test(`Job: ${name}`, () => assert.deepEqual(refused(job, withField(minimal, path, value)), errors));

test("Job: indexed", () => {
  assert.deepEqual(
    refused(job, withField(withField(indexed, "spec.completions", undefined), "spec.parallelism", 2)),
    ["spec.completions: Required value: when completion mode is Indexed"],
  );
  assert.deepEqual(
    refused(job, withField(indexed, "spec.successPolicy", { rules: [{ succeededIndexes: "0,2-9" }] })),
    [
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2-9": error parsing succeededIndexes: too large index: "9"',
    ],
  );
  assert.deepEqual(
    refused(
      job,
      withField(indexed, "spec.successPolicy", { rules: [{ succeededIndexes: "0,2-3", succeededCount: 4 }] }),
    ),
    [
      "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of indexes in the specified succeededIndexes field)",
    ],
  );
});

const manyIndexes = withField(
  withField(indexed, "spec.completions", 100_001),
  "spec.backoffLimitPerIndex",
  1,
);
const ofMany = "when completions are above 100000 and used with backoff limit per index";
const indexedRows: readonly (readonly [name: string, given: unknown, ...errors: string[]])[] = [
  [
    "more failures than indexes",
    withField(withField(indexed, "spec.backoffLimitPerIndex", 1), "spec.maxFailedIndexes", 6),
    "spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions",
  ],
  [
    "too many at once",
    withField(indexed, "spec.parallelism", 100_001),
    "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
  ],
  [
    "very many, and any of them may fail",
    manyIndexes,
    "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
  ],
  [
    "very many, and many of them at once",
    withField(withField(manyIndexes, "spec.parallelism", 10_001), "spec.maxFailedIndexes", 10_001),
    `spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 ${ofMany}`,
    `spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 ${ofMany}`,
  ],
  [
    "hosts without a name",
    withField(indexed, "metadata.name", "a".repeat(62)),
    `metadata.name: Invalid value: "${"a".repeat(62)}": will not able to create pod with invalid DNS label: ${"a".repeat(62)}-4`,
  ],
  ...(
    [
      [
        "1-2-3",
        `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
      ],
      ["a", 'cannot convert string to integer for index: "a"'],
      ["3,1", "non-increasing order, previous: 3, current: 1"],
      ["3-3", "non-increasing order, previous: 3, current: 3"],
      ["1-5", 'too large index: "5"'],
    ] as const
  ).map(([text, why]): [string, unknown, string] => [
    `the indexes ${text}`,
    withField(indexed, "spec.successPolicy", { rules: [{ succeededIndexes: text }] }),
    `spec.successPolicy.rules[0].succeededIndexes: Invalid value: "${text}": error parsing succeededIndexes: ${why}`,
  ]),
];
for (const [name, given, ...errors] of indexedRows)
  test(`Job, indexed: ${name}`, () => assert.deepEqual(refused(job, given), errors));

test("Job: statuses", () => {
  const time = (seconds: number): string => `2026-01-01T11:00:0${seconds}Z`;
  const yes = (...types: string[]) => types.map((type) => ({ type, status: "True" }));
  const told = (status: object, before: object = {}, spec: object = {}): string[] => {
    const object = made(job, { ...minimal, spec: { ...minimal.spec, ...spec } });
    const errors = job.status?.validateUpdate?.({ ...object, status }, { ...object, status: before }) ?? [];
    return errors.map(({ field, detail }) => `${field.replace("status.", "")}: ${detail}`);
  };
  const done = {
    startTime: time(1),
    completionTime: time(2),
    conditions: yes("SuccessCriteriaMet", "Complete"),
  };
  assert.deepEqual(told({ startTime: time(1), active: 2, ready: 1 }), []);
  assert.deepEqual(told(done), []);
  const cases: readonly (readonly [status: object, before: object, ...errors: string[]])[] = [
    [{ ready: 1 }, {}, "ready: cannot set more ready pods than active"],
    [{ ...done, active: 1 }, {}, "active: active>0 is invalid for finished job"],
    [{ ...done, startTime: undefined }, {}, "startTime: startTime is required for finished job"],
    [
      { ...done, completionTime: undefined },
      {},
      "completionTime: completionTime is required for Complete jobs",
    ],
    [
      { ...done, completionTime: time(0) },
      {},
      "completionTime: completionTime cannot be set before startTime",
    ],
    [{ ...done, completionTime: time(3) }, done, "completionTime: field is immutable"],
    [
      { completionTime: time(2) },
      {},
      "completionTime: cannot set completionTime when there is no Complete=True condition",
    ],
    [
      { startTime: time(1), conditions: yes("Failed") },
      {},
      "conditions: cannot set Failed=True condition without the FailureTarget=true condition",
    ],
    [
      { ...done, conditions: yes("Complete", "SuccessCriteriaMet", "FailureTarget") },
      {},
      "conditions: cannot set Complete=True and FailureTarget=true conditions",
      "conditions: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
    ],
    [
      { startTime: time(1) },
      { startTime: time(1), conditions: yes("FailureTarget") },
      "conditions: cannot disable the terminal FailureTarget=True condition",
    ],
    [{ failed: 1 }, { failed: 2 }, "failed: cannot decrease the failed counter"],
    [
      { startTime: time(2) },
      { startTime: time(1) },
      "startTime: startTime cannot be updated for unsuspended job",
    ],
    [
      { uncountedTerminatedPods: { succeeded: ["a", ""], failed: ["a"] } },
      {},
      "uncountedTerminatedPods.succeeded[1]: must not be empty",
      "uncountedTerminatedPods.failed[0]: ",
    ],
    [
      { completedIndexes: "1" },
      {},
      "completedIndexes: cannot set non-empty completedIndexes when non-indexed completion mode",
    ],
  ];
  for (const [status, before, ...errors] of cases) assert.deepEqual(told(status, before), errors);
  assert.deepEqual(told({ startTime: time(2) }, { startTime: time(1) }, { suspend: true }), []);
  assert.deepEqual(
    told({ failed: 3 }, { failed: 2, ready: 4 }),
    [],
    "what was wrong before is not held against it",
  );
});

test("Job: defaults and the selector that is made", () => {
  const { metadata, spec } = made(job, withField(minimal, "spec.template.metadata.labels", { app: "a" }));
  assert.deepEqual(metadata?.labels, { app: "a" });
  const { template: own, selector, ...rest } = spec ?? { template: {} };
  assert.deepEqual(rest, {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: "TerminatingOrFailed",
  });
  assert.deepEqual(selector, { matchLabels: { "batch.kubernetes.io/controller-uid": "a-uid" } });
  assert.deepEqual(own.metadata?.labels, {
    app: "a",
    "batch.kubernetes.io/controller-uid": "a-uid",
    "batch.kubernetes.io/job-name": "j",
    "controller-uid": "a-uid",
    "job-name": "j",
  });
});

test("Job: a selector of one's own", () => {
  const manual = withField(minimal, "spec.manualSelector", true);
  assert.deepEqual(refused(job, manual), [
    "spec.selector: Required value",
    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
  ]);
  assert.deepEqual(refused(job, withField(manual, "spec.selector", { matchLabels: { a: "b" } })), [
    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
  ]);
  const [own, ...others] = refused(job, withField(minimal, "spec.selector", { matchLabels: { a: "b" } }));
  assert.equal(
    own,
    'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"a-uid"}}: `selector` not auto-generated',
  );
  assert.match(others.join(), /^spec\.template\.metadata\.labels: Invalid value: .*does not match/);
  const labels = { "job-name": "other" };
  assert.match(
    refused(job, withField(minimal, "spec.template.metadata.labels", labels)).join(),
    /^spec\.template\.metadata\.labels\[job-name\]: Invalid value: \{.*\}: must be 'j'$/,
  );
});

test("Job: what may change", () => {
  const change = (path: string, value: unknown, of: unknown = minimal): string[] =>
    refusedChange(job, of, withField(of, path, value));
  assert.deepEqual(change("spec.parallelism", 4, withField(minimal, "spec.completions", 1)), []);
  assert.deepEqual(change("spec.suspend", true), []);
  assert.deepEqual(change("spec.completions", 4), ["spec.completions: Invalid value: 4: field is immutable"]);
  assert.match(
    change("spec.template.spec.nodeSelector", { a: "b" })[0] ?? "",
    /^spec\.template: Invalid value: \{.*\}: field is immutable$/,
  );
  const suspended = withField(minimal, "spec.suspend", true);
  assert.deepEqual(change("spec.template.spec.nodeSelector", { a: "b" }, suspended), []);
  assert.match(change("spec.template.spec.hostNetwork", true, suspended)[0] ?? "", /field is immutable$/);
  const container = { name: "c", image: "i", resources: { requests: { cpu: "2" } } };
  assert.deepEqual(change("spec.template.spec.containers", [container], suspended), []);
  assert.match(change("spec.template.spec.containers", [container])[0] ?? "", /field is immutable$/);
  const bigger = withField(withField(indexed, "spec.completions", 6), "spec.parallelism", 6);
  assert.deepEqual(refusedChange(job, indexed, bigger), []);
  assert.deepEqual(change("spec.managedBy", "a.b/c"), [
    'spec.managedBy: Invalid value: "a.b/c": field is immutable',
  ]);
  assert.deepEqual(change("spec.completions", 6, indexed), [
    "spec.completions: Invalid value: 6: can only be modified in tandem with spec.parallelism",
  ]);
});

test("Job: rows", () => {
  const shown = (status: object, spec: object = {}): unknown[] => {
    const object = made(job, minimal);
    return row(job, { ...object, spec: { ...object.spec, ...spec }, status } as never).slice(0, 5);
  };
  assert.deepEqual(shown({}), ["j", "Running", "0/1", "", "60m"]);
  const done = {
    succeeded: 1,
    startTime: "2026-01-01T11:00:00Z",
    completionTime: "2026-01-01T11:00:09Z",
    conditions: [{ type: "Complete", status: "True" }],
  };
  assert.deepEqual(shown(done), ["j", "Complete", "1/1", "9s", "60m"]);
  assert.deepEqual(shown({ conditions: [{ type: "Suspended", status: "True" }] })[1], "Suspended");
  assert.deepEqual(shown({}, { completions: undefined, parallelism: 3 })[2], "0/1 of 3");
});

const cron = {
  metadata: { name: "c", namespace: "default" },
  spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template } } },
};
const cronRows: readonly (readonly [name: string, path: string, value: unknown, ...errors: string[]])[] = [
  ["no schedule", "spec.schedule", "", "spec.schedule: Required value"],
  [
    "too few fields",
    "spec.schedule",
    "* * *",
    'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]',
  ],
  [
    "a zone in the schedule",
    "spec.schedule",
    "TZ=UTC 0 0 * * *",
    'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  ],
  [
    "an unknown zone",
    "spec.timeZone",
    "Mars/Base",
    'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
  ],
  [
    "the zone of the server",
    "spec.timeZone",
    "Local",
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  [
    "an unknown policy",
    "spec.concurrencyPolicy",
    "Sometimes",
    'spec.concurrencyPolicy: Unsupported value: "Sometimes": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    "a long name",
    "metadata.name",
    "a".repeat(53),
    `metadata.name: Invalid value: "${"a".repeat(53)}": must be no more than 52 characters`,
  ],
  [
    "a selector",
    "spec.jobTemplate.spec.selector",
    { matchLabels: { a: "b" } },
    'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
  ],
  [
    "pods that restart",
    "spec.jobTemplate.spec.template.spec.restartPolicy",
    "Always",
    'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
];
test("CronJob: valid", () => {
  assert.deepEqual(refused(cronJob, withField(cron, "spec.timeZone", "America/Sao_Paulo")), []);
  const object = made(cronJob, cron);
  assert.deepEqual(
    [
      object.spec?.concurrencyPolicy,
      object.spec?.suspend,
      object.spec?.successfulJobsHistoryLimit,
      object.spec?.failedJobsHistoryLimit,
    ],
    ["Allow", false, 3, 1],
  );
  assert.deepEqual(row(cronJob, object).slice(0, 7), [
    "c",
    "*/5 * * * *",
    "<none>",
    "False",
    0,
    "<none>",
    "60m",
  ]);
});
for (const [name, path, value, ...errors] of cronRows)
  test(`CronJob: ${name}`, () => assert.deepEqual(refused(cronJob, withField(cron, path, value)), errors));

const values = (text: string): number[][] => {
  const schedule = parseCron(text);
  return "fields" in schedule ? schedule.fields.map((field) => [...field.values]) : [];
};

test("schedules", () => {
  assert.deepEqual(values("0,30 8-10 1 jan mon"), [[0, 30], [8, 9, 10], [1], [1], [1]]);
  assert.deepEqual(values("50/5 */12 ? * sun").slice(0, 2), [
    [50, 55],
    [0, 12],
  ]);
  assert.deepEqual(values("50/5 */12 ? * sun")[4], [0]);
  assert.deepEqual(values("@weekly")[4], [0]);
  assert.deepEqual(parseCron("@every 1h30m"), { everyMs: 5_400_000 });
  for (const [text, message] of [
    ["0 0 * * 7", "end of range (7) above maximum (6): 7"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["@often", "unrecognized descriptor: @often"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ] as const)
    assert.throws(() => parseCron(text), new CronError(message));
});

test("CronJob: a zone in the schedule stays where it was", () => {
  const old = withField(cron, "spec.schedule", "CRON_TZ=UTC 0 0 * * *");
  assert.deepEqual(refusedChange(cronJob, old, withField(old, "spec.suspend", true)), []);
  assert.deepEqual(refusedChange(cronJob, old, withField(old, "spec.timeZone", "UTC")), [
    'spec.schedule: Invalid value: "CRON_TZ=UTC 0 0 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ]);
  assert.match(refusedChange(cronJob, cron, old).join(), /use timeZone field instead$/);
  assert.match(
    refused(cronJob, withField(cron, "spec.schedule", "TZ=Mars 0 0 * * *")).join(),
    /bad location Mars/,
  );
  assert.equal(cronJob.warnings(made(cronJob, old), undefined).length, 1);
  const long = withField(cron, "metadata.name", "a".repeat(53));
  assert.deepEqual(
    refusedChange(cronJob, long, withField(long, "spec.suspend", true)),
    [],
    "a long name stays",
  );
});

test("names that are no labels of hosts", () => {
  const warning = /a DNS label is recommended: \[must not contain dots\]$/;
  assert.match(
    job.warnings(made(job, withField(minimal, "metadata.name", "a.b")), undefined).join(),
    warning,
  );
  assert.match(
    cronJob.warnings(made(cronJob, withField(cron, "metadata.name", "a.b")), undefined).join(),
    warning,
  );
});
