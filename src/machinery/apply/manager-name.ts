// Whose name a write goes under when it does not say: what the client calls itself.

const bytesMax = 128;
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;

/** `kubectl/v1.36.0 (linux/amd64) …` → `kubectl` */
export function managerOfUserAgent(userAgent: string): string {
  const [product = ""] = userAgent.split("/", 1);
  let name = "";
  for (const character of product) {
    if (unprintable.test(character)) continue;
    if (Buffer.byteLength(name) + Buffer.byteLength(character) > bytesMax) break;
    name += character;
  }
  return name === "" ? "unknown" : name;
}
