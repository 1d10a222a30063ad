// PriorityLevelConfiguration: how many requests of a level run at once, and what happens to more.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type {
  LimitResponse,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "#machinery/gen/types/flowcontrol-v1.ts";
import {
  child,
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { keep } from "../field-checks.ts";
import { keepMetadataOfObject } from "../status-metadata.ts";
import { mandatoryLevels } from "./fixed.ts";

const queuesMax = 10_000_000;
const entropyBitsMax = 60;

/** How much a dealt hand tells, in bits: the number of ordered hands of so many cards from such a deck. */
function entropyBits(deckSize: number, handSize: number): number {
  let bits = 0;
  for (let at = 0; at < handSize && bits <= entropyBitsMax; at++) bits += Math.log2(deckSize - at);
  return bits;
}

function validateQueuing(queuing: QueuingConfiguration, path: string): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const errors: FieldError[] = [];
  const [length, count, hand] = ["queueLengthLimit", "queues", "handSize"].map((name) =>
    child(path, name),
  ) as [string, string, string];
  const positive = "must be positive";
  if (queueLengthLimit <= 0) errors.push(invalid(length, queueLengthLimit, positive));
  if (queues <= 0) errors.push(invalid(count, queues, positive));
  else if (queues > queuesMax) errors.push(invalid(count, queues, `must not be greater than ${queuesMax}`));
  if (handSize <= 0) errors.push(invalid(hand, handSize, positive));
  else if (handSize > queues)
    errors.push(invalid(hand, handSize, `should not be greater than queues (${queues})`));
  else if (Math.ceil(entropyBits(queues, handSize)) > entropyBitsMax)
    errors.push(
      invalid(
        hand,
        handSize,
        `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${entropyBitsMax}`,
      ),
    );
  return errors;
}

function validateResponse({ type, queuing }: LimitResponse, path: string): FieldError[] {
  const own = child(path, "queuing");
  if (type === "Reject")
    return queuing === undefined
      ? []
      : [forbidden(own, "must be nil if limited.limitResponse.type is not Limited")];
  if (type !== "Queue") return [notSupported(child(path, "type"), type, ["Queue", "Reject"])];
  return queuing === undefined
    ? [required(own, "must not be empty if limited.limitResponse.type is Limited")]
    : validateQueuing(queuing, own);
}

function validateShares(
  { nominalConcurrencyShares: shares = 0, lendablePercent = 0 }: LimitedPriorityLevelConfiguration,
  path: string,
): FieldError[] {
  return [
    ...(shares < 0
      ? [invalid(child(path, "nominalConcurrencyShares"), shares, "must be a non-negative integer")]
      : []),
    ...(lendablePercent < 0 || lendablePercent > 100
      ? [invalid(child(path, "lendablePercent"), lendablePercent, "must be between 0 and 100, inclusive")]
      : []),
  ];
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const { borrowingLimitPercent: borrowed, limitResponse } = limited;
  return [
    ...validateShares(limited, path),
    ...validateResponse(limitResponse ?? { type: "" }, child(path, "limitResponse")),
    ...(borrowed !== undefined && borrowed < 0
      ? [
          invalid(
            child(path, "borrowingLimitPercent"),
            borrowed,
            "if specified, must be a non-negative integer",
          ),
        ]
      : []),
  ];
}

function validateSpec(spec: PriorityLevelConfigurationSpec, name: string): FieldError[] {
  const { type, limited, exempt } = spec;
  const errors: FieldError[] = [];
  if ((name === "exempt") !== (type === "Exempt"))
    errors.push(invalid("spec.type", type, "type must be 'Exempt' if and only if `name` is 'exempt'"));
  if (type === "Exempt") {
    if (limited !== undefined)
      errors.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
    errors.push(
      ...(exempt === undefined
        ? [required("spec.exempt", "must not be empty")]
        : validateShares(exempt, "spec.exempt")),
    );
  } else if (type === "Limited") {
    if (exempt !== undefined) errors.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
    errors.push(
      ...(limited === undefined
        ? [required("spec.limited", "must not be empty when type is Limited")]
        : validateLimited(limited, "spec.limited")),
    );
  } else errors.push(notSupported("spec.type", type, ["Exempt", "Limited"]));
  return errors;
}

/** Of the exempt level, how much it counts for may be changed; of the others that are fixed nothing. */
function validateFixed(spec: PriorityLevelConfigurationSpec | undefined, name: string): FieldError[] {
  const fixed = Object.hasOwn(mandatoryLevels, name) ? mandatoryLevels[name] : undefined;
  if (fixed === undefined) return [];
  const compared = name === "exempt" ? { ...spec, exempt: fixed.exempt } : spec;
  const but = name === "exempt" ? " except the 'spec.exempt.*' fields" : "";
  return isDeepStrictEqual(compared, fixed)
    ? []
    : [invalid("spec", spec, `spec of '${name}'${but} must equal the fixed value`)];
}

function queuing(object: PriorityLevelConfiguration, field: keyof QueuingConfiguration): string {
  return String(object.spec?.limited?.limitResponse?.queuing?.[field] ?? "<none>");
}

export const priorityLevelConfiguration = defineResource<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  resource: "prioritylevelconfigurations",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Type", ({ spec }) => spec?.type ?? ""),
    column("NominalConcurrencyShares", ({ spec }) =>
      String(spec?.limited?.nominalConcurrencyShares ?? "<none>"),
    ),
    column("Queues", (object) => queuing(object, "queues")),
    column("HandSize", (object) => queuing(object, "handSize")),
    column("QueueLengthLimit", (object) => queuing(object, "queueLengthLimit")),
    ageColumn,
  ],
  applyDefaults: ({ spec }) => {
    if (spec?.type === "Exempt") spec.exempt ??= {};
    if (spec?.exempt !== undefined) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (spec?.limited === undefined) return;
    spec.limited.nominalConcurrencyShares ??= 30;
    spec.limited.lendablePercent ??= 0;
    const own = spec.limited.limitResponse?.queuing;
    if (own === undefined) return;
    own.queues ||= 64;
    own.handSize ||= 8;
    own.queueLengthLimit ||= 50;
  },
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate: ({ metadata, spec }) => {
    const name = metadata?.name ?? "";
    return [...validateSpec(spec ?? { type: "" }, name), ...validateFixed(spec, name)];
  },
  status: { prepareForUpdate: keepMetadataOfObject },
});
