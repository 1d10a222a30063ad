// HorizontalPodAutoscaler, as autoscaling/v1: by how busy the CPU is. Stored and judged as autoscaling/v2.

import { converting, defineResource } from "#machinery/define-resource.ts";
import type { HorizontalPodAutoscaler } from "#machinery/gen/types/autoscaling-v1.ts";
import { autoscalerFromV1, autoscalerToV1, metricsAnnotation } from "./autoscaler-conversion.ts";
import { validateAutoscaler } from "./autoscaler-validation.ts";
import { autoscalerColumns, autoscalerKind, defaultCpuUtilization } from "./horizontal-pod-autoscaler.ts";

const defaultMinReplicas = 1;
const noStatus = { currentReplicas: 0, desiredReplicas: 0 };

export const horizontalPodAutoscalerV1 = defineResource<HorizontalPodAutoscaler>({
  ...autoscalerKind,
  version: "v1",
  conversion: converting({ fromStorage: autoscalerToV1, toStorage: autoscalerFromV1 }),
  columns: autoscalerColumns.map((shown) => ({
    ...shown,
    cell: (object, nowMs) => shown.cell(autoscalerFromV1(object), nowMs),
  })),
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 });
    spec.minReplicas ??= defaultMinReplicas;
    // Without a metric of any kind it is the CPU.
    if (!Object.hasOwn(draft.metadata?.annotations ?? {}, metricsAnnotation))
      spec.targetCPUUtilizationPercentage ??= defaultCpuUtilization;
  },
  prepareForCreate: (draft) => {
    draft.status = { ...noStatus };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { ...noStatus });
  },
  validate: (object) => validateAutoscaler(autoscalerFromV1(object)),
  validateUpdate: (next, old) => validateAutoscaler(autoscalerFromV1(next), autoscalerFromV1(old)),
  status: {},
});
