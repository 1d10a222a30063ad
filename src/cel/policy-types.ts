// What in a ValidatingAdmissionPolicy cannot be right for a kind that it is about: expressions checked against the
// types of the kinds, after the fact. The policy works all the same.
import { child, index } from "#machinery/field-error.ts";
import type { CelType } from "./cel-type.ts";
import { compilePolicy, type PolicySpec } from "./policy.ts";

/** A kind that a policy is about: `apps/v1, Kind=Deployment`. */
export interface MatchedKind {
  readonly label: string;
  readonly type: CelType;
}

export interface ExpressionWarning {
  readonly fieldRef: string;
  readonly warning: string;
}

export function typeCheckPolicy(
  spec: PolicySpec,
  kinds: readonly MatchedKind[],
  params: CelType | undefined,
): ExpressionWarning[] {
  const found = kinds.map(({ label, type }) => ({
    label,
    errors: compilePolicy(spec, "spec", { object: type, params }).errors,
  }));
  return (spec.validations ?? []).flatMap((_, i) =>
    ["expression", "messageExpression"].flatMap((part) => {
      const fieldRef = child(index("spec.validations", i), part);
      const lines = found.flatMap(({ label, errors }) =>
        errors
          .filter(({ field }) => field === fieldRef)
          .map(({ detail }) => `${label}: ${detail.replace(/^compilation failed: /, "")}`),
      );
      return lines.length === 0 ? [] : [{ fieldRef, warning: lines.join("\n") }];
    }),
  );
}
