// HorizontalPodAutoscaler, as autoscaling/v2: how many replicas of something there are, by what they have to do.
// Stored in this version; autoscaling/v1 shows the same in fewer words (horizontal-pod-autoscaler-v1.ts).

import { defineResource, type Column } from "#machinery/define-resource.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
} from "#machinery/gen/types/autoscaling-v2.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { validateAutoscaler } from "./autoscaler-validation.ts";
import { metricsText } from "./metrics-text.ts";

export const autoscalingGroup = "autoscaling";
export const autoscalerResource = "horizontalpodautoscalers";
export const autoscalerStorage = { group: autoscalingGroup, resource: autoscalerResource, version: "v2" };

const defaultMinReplicas = 1;
export const defaultCpuUtilization = 80;
const periodSeconds = 15;

const upDefaults = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds },
    { type: "Percent", value: 100, periodSeconds },
  ],
});
const downDefaults = (): HPAScalingRules => ({
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds }],
});

/** Who says something of how fast it scales gets told the rest of it. */
function behaviorDefaults(behavior: HorizontalPodAutoscalerBehavior): void {
  const given = (rules: HPAScalingRules = {}): HPAScalingRules =>
    Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
  behavior.scaleUp = { ...upDefaults(), ...given(behavior.scaleUp) };
  behavior.scaleDown = { ...downDefaults(), ...given(behavior.scaleDown) };
}

export function autoscalerDefaults(draft: HorizontalPodAutoscaler): void {
  const spec = (draft.spec ??= { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 });
  spec.minReplicas ??= defaultMinReplicas;
  if (spec.metrics === undefined || spec.metrics.length === 0)
    spec.metrics = [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: defaultCpuUtilization } },
      },
    ];
  if (spec.behavior !== undefined) behaviorDefaults(spec.behavior);
}

export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  column(
    "Reference",
    ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`,
    {
      description: "What is scaled.",
    },
  ),
  column("Targets", metricsText, { description: "Each metric as it is now, and as it should be." }),
  column("MinPods", ({ spec }) => String(spec?.minReplicas ?? "<unset>"), {
    description: "At least so many pods.",
  }),
  column("MaxPods", ({ spec }) => spec?.maxReplicas ?? 0, { description: "At most so many pods." }),
  column("Replicas", ({ status }) => status?.currentReplicas ?? 0, { description: "Pods that there are." }),
  ageColumn,
];

/** What both versions have in common. */
export const autoscalerKind = {
  group: autoscalingGroup,
  kind: "HorizontalPodAutoscaler",
  resource: autoscalerResource,
  shortNames: ["hpa"],
  categories: ["all"],
  namespaced: true,
  storage: autoscalerStorage,
  validateName: nameCheck(checkDnsSubdomain),
} as const;

const noStatus = (): HorizontalPodAutoscalerStatus => ({ currentMetrics: [], desiredReplicas: 0 });

export const horizontalPodAutoscaler = defineResource<HorizontalPodAutoscaler>({
  ...autoscalerKind,
  version: "v2",
  columns: autoscalerColumns,
  applyDefaults: autoscalerDefaults,
  prepareForCreate: (draft) => {
    draft.status = noStatus();
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? noStatus());
  },
  validate: validateAutoscaler,
  validateUpdate: validateAutoscaler,
  status: {},
});
