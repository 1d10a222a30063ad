// The Warning header of an answer: sentences for the person behind the client. Pure.

/** Beyond this many characters in all, each sentence is cut … */
const totalMax = 4096;
/** … to this many, and those that still do not fit are left out. */
const cutTo = 256;

/** RFC 7234 warn-text: quoted, without control characters, its UTF-8 as the bytes that headers carry. */
function quoted(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, " ").replace(/["\\]/g, "\\$&");
  return `299 - "${Buffer.from(clean).toString("latin1")}"`;
}

/** Each sentence once, in the order in which they came. */
export function warningHeader(warnings: readonly string[]): string {
  const distinct = [...new Set(warnings)].map((text) => [...text]);
  const total = distinct.reduce((sum, { length }) => sum + length, 0);
  if (total <= totalMax) return distinct.map((text) => quoted(text.join(""))).join(", ");
  const told: string[] = [];
  let written = 0;
  for (const text of distinct) {
    if (written >= totalMax) break;
    const cut = text.slice(0, cutTo);
    written += cut.length;
    told.push(quoted(cut.join("")));
  }
  return told.join(", ");
}
