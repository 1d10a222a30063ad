// `$(NAME)` in commands, arguments and variables: replaced when NAME is known, left alone otherwise; `$$` is one `$`.

export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0 || dollar === text.length - 1) break;
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      out += "$";
      at = dollar + 2;
      continue;
    }
    const close = next === "(" ? text.indexOf(")", dollar + 2) : -1;
    if (close < 0) {
      // Not a reference: both characters stay, also an opening parenthesis that nothing closes.
      out += text.slice(dollar, dollar + 2);
      at = dollar + 2;
      continue;
    }
    out += lookup(text.slice(dollar + 2, close)) ?? text.slice(dollar, close + 1);
    at = close + 1;
  }
  return out + text.slice(at);
}
