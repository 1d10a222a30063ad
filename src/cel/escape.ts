// Names of properties as expressions write them: `x-prop` is `x__dash__prop`, `namespace` is `__namespace__`.

const reservedNames: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return".split(
    " ",
  ),
);
const escapes: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** Undefined where expressions cannot name the property. */
export function escapeName(property: string): string | undefined {
  if (reservedNames.has(property)) return `__${property}__`;
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(property)) return undefined;
  const escaped = property.replace(/__|[./-]/g, (part) => escapes[part] ?? part);
  return /^[a-zA-Z_]/.test(escaped) ? escaped : undefined;
}
