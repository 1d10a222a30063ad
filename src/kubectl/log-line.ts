// Lines of kubectl's own log on stderr, in the form that its users know: `W0102 15:04:05.000000    4242 where] what`.

const twoDigits = (value: number): string => String(value).padStart(2, "0");

function logLine(level: "W" | "E", nowMs: number, where: string, what: string): string {
  const now = new Date(nowMs);
  const day = `${twoDigits(now.getMonth() + 1)}${twoDigits(now.getDate())}`;
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(twoDigits).join(":");
  const micros = `${String(now.getMilliseconds()).padStart(3, "0")}000`;
  return `${level}${day} ${time}.${micros} ${String(process.pid).padStart(7)} ${where}] ${what}\n`;
}

export const warningLine = (nowMs: number, where: string, what: string): string =>
  logLine("W", nowMs, where, what);

export const errorLine = (nowMs: number, where: string, what: string): string =>
  logLine("E", nowMs, where, what);
