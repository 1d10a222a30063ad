// Numbers out of measurements, and the table that shows them. Pure.

/** The value below which this share of the samples lies; the nearest sample, not an average of two. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) return NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] as number;
}

/** Three significant digits at most: `0.41`, `12.3`, `1234`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

export interface Row {
  readonly name: string;
  /** What was measured, with its unit: `0.41 s`. */
  readonly ours: string;
  /** What it is held against, measured in the same run. */
  readonly peer?: string;
  readonly ratio?: number;
  readonly aim?: string;
  readonly met?: boolean;
}

/** A table as text: columns as wide as their widest cell. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["measured", "ours", "peer or floor", "ratio", "aim", ""],
    ...rows.map(({ name, ours, peer = "", ratio, aim = "", met }) => [
      name,
      ours,
      peer,
      ratio === undefined ? "" : short(ratio),
      aim,
      met === undefined ? "" : met ? "met" : "missed",
    ]),
  ];
  const widths = (cells[0] as string[]).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] as string).length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
