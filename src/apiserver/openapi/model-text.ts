// What the type declarations of installed client libraries say of the API: the comment of a type and of each of its
// properties. Pure.

/** The text of one type by property; the type itself under "". */
export type ModelText = Readonly<Record<string, string>>;

const comment = String.raw`\/\*\*[ \t]*(?:\r?\n[ \t]*\*)? ?(.*?)[ \t]*(?:\r?\n[ \t]*)?\*\/\r?\n[ \t]*`;
const typeLine = String.raw`export (?:declare class|interface) (\w+)`;
const propertyLine = String.raw`(?:readonly )?(?:'([^'\n]+)'|"([^"\n]+)"|([\w$]+))\??:`;
const commented = new RegExp(`${comment}(?:${typeLine}|${propertyLine})`, "g");
/** A type without a comment of its own still begins here. */
const begin = new RegExp(`^${typeLine}`, "gm");

/** Comments hold the text as a string literal would, and cannot hold their own end. */
const plain = (text: string): string =>
  text
    .trim()
    .replaceAll("*_/", "*/")
    .replace(/\\(["'\\])/g, "$1");

/** The texts of all types in one file, by name. */
export function parseModels(source: string): Record<string, ModelText> {
  const models: Record<string, Record<string, string>> = Object.create(null) as Record<string, never>;
  const starts = [...source.matchAll(begin)];
  starts.forEach((start, at) => {
    const text: Record<string, string> = (models[start[1] ?? ""] = Object.create(null) as Record<
      string,
      string
    >);
    // The comment of the next type is at the end of this one's text, and names no property.
    const body = source.slice(start.index, starts[at + 1]?.index);
    for (const [, said = "", , quoted, double, bare] of body.matchAll(commented)) {
      const property = quoted ?? double ?? bare;
      if (property !== undefined) text[property] = plain(said);
    }
  });
  for (const [, said = "", type] of source.matchAll(commented))
    if (type !== undefined) (models[type] as Record<string, string>)[""] = plain(said);
  return models;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Under which names a message may be found: `core/v1.Event` is `CoreV1Event`, or, where no other group has it, `V1Event`. */
export function modelNames(ref: string): string[] {
  const [package_ = "", name = ""] = ref.split(".");
  const [group = "", version = ""] = package_.split("/");
  return [`${capital(group)}${capital(version)}${name}`, `${capital(version)}${name}`];
}

/** Under which names a field may be found: what is no identifier, or a word of the language, is spelled differently. */
export function propertyNames(field: string): string[] {
  const spelled = field.replace(/^\$/, "").replaceAll("-", "_");
  return [field, spelled, `_${spelled}`];
}
