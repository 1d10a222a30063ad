// Text in columns: cells end at tabs, a column is as wide as its widest cell in the lines around it, and three spaces
// stand between. The last cell of a line belongs to no column.

const minWidth = 6;
const padding = 3;

const widthOf = (text: string): number => {
  let width = 0;
  for (const _ of text) width++;
  return width;
};

/**
 * Lines of cells → lines of text. A column is a run of lines that all have that cell (and a cell after it).
 * `remembered` keeps widths from one call to the next: rows of a watch stay in line with those before them.
 */
export function alignCells(rows: readonly (readonly string[])[], remembered: number[] = []): string {
  const widths: number[][] = rows.map(() => []);
  const format = (from: number, to: number, column: number): void => {
    for (let row = from; row < to; row++) {
      if ((rows[row] as readonly string[]).length <= column + 1) continue;
      let end = row;
      let width = Math.max(minWidth, remembered[column] ?? 0);
      while (end < to && (rows[end] as readonly string[]).length > column + 1) {
        width = Math.max(width, widthOf(rows[end]?.[column] ?? "") + padding);
        end++;
      }
      remembered[column] = width;
      for (let one = row; one < end; one++) (widths[one] as number[])[column] = width;
      format(row, end, column + 1);
      row = end - 1;
    }
  };
  format(0, rows.length, 0);
  return rows
    .map(
      (cells, row) =>
        cells
          .map((cell, column) =>
            column === cells.length - 1
              ? cell
              : cell + " ".repeat(Math.max(0, (widths[row]?.[column] ?? 0) - widthOf(cell))),
          )
          .join("") + "\n",
    )
    .join("");
}

/** The same for text: cells end at tabs, lines at line ends (and form feeds). */
export const alignText = (text: string, remembered?: number[]): string =>
  text === ""
    ? ""
    : alignCells(
        text
          .replace(/\n$/, "")
          .split(/[\n\f]/)
          .map((line) => line.split("\t")),
        remembered,
      );
