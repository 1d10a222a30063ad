// Quantities as numbers, for limits and ratios; exact arithmetic is not needed here.

import { parseQuantity, quantityMilli, quantityValue } from "#machinery/quantity.ts";

/** `"500m"` → 0.5, `"64Mi"` → 67108864. */
export const amount = (quantity: string | number): number => Number(parseQuantity(quantity).nano) / 1e9;
/** Rounded up. */
export const milliCpu = (quantity: string | number): number => quantityMilli(quantity);
export const wholeUnits = (quantity: string | number): number => quantityValue(quantity);
