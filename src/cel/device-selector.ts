// The expressions that select devices (resource.k8s.io): what they see of a device, and what may be wrong with them.
import { forbidden, invalid, tooLong, type FieldError } from "#machinery/field-error.ts";
import { boolType, dynType, field, mapOf, objectType, opaque, stringType, typeName } from "./cel-type.ts";
import { compileExpression, type Variables } from "./expression.ts";

/** What evaluating a selector may cost. */
const selectorCostMax = 1_000_000;
const selectorBytesMax = 10 * 1024;
/** What a device can have at most, as its ResourceSlice is checked. */
const attributesMax = 32;
const domainBytesMax = 63;
const identifierBytesMax = 32;

const text = (max: number): typeof stringType => ({ ...stringType, max });
const byDomain = (value: Parameters<typeof mapOf>[1]): ReturnType<typeof mapOf> =>
  mapOf(text(domainBytesMax), mapOf(text(identifierBytesMax), value, attributesMax), attributesMax);

const deviceType = objectType("kubernetes.DRADevice", [
  field("driver", text(domainBytesMax)),
  // A string, a number, a boolean or a version; 64 is the longest of the strings.
  field("attributes", byDomain({ ...dynType, max: 64 })),
  field("capacity", byDomain(opaque("kubernetes.Quantity"))),
  field("allowMultipleAllocations", boolType),
]);
const variables: Variables = new Map([["device", deviceType]]);

export function checkDeviceSelector(expression: string, path: string): FieldError[] {
  if (Buffer.byteLength(expression) > selectorBytesMax) return [tooLong(path, selectorBytesMax)];
  const { expression: compiled, error } = compileExpression(expression, variables, { bind: true });
  if (compiled === undefined) return [invalid(path, expression, `compilation failed: ${error}`)];
  const { kind } = compiled.type;
  if (kind !== "bool" && kind !== "dyn") {
    const detail = `must evaluate to bool or the unknown type, not ${typeName(compiled.type)}`;
    return [invalid(path, expression, detail)];
  }
  return compiled.maxCost > selectorCostMax ? [forbidden(path, "too complex, exceeds cost limit")] : [];
}
