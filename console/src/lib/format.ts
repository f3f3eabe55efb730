// Numbers, money and times as the chosen language writes them. Formatters are made once a language.
import { language } from "../text";
import type { Money } from "../api/shapes";

const made = new Map<string, Intl.NumberFormat>();
function formatter(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const id = language.value + JSON.stringify(options);
  let f = made.get(id);
  if (!f) made.set(id, (f = new Intl.NumberFormat(language.value, options)));
  return f;
}

export const none = "–";
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? none : formatter({ maximumFractionDigits: 0 }).format(n);
}
/** Few digits: 12.3k. */
export function short(n: number | null | undefined): string {
  return n === null || n === undefined
    ? none
    : formatter({ notation: "compact", maximumFractionDigits: 1 }).format(n);
}
export function money(m: Money): string {
  const f = formatter({ style: "currency", currency: m.currency });
  return f.format(m.amount / 10 ** (f.resolvedOptions().maximumFractionDigits ?? 0));
}
/** Sums of several currencies; nothing at risk is said as a dash. */
export function moneys(all: readonly Money[]): string {
  const some = all.filter((m) => m.amount > 0);
  return some.length ? some.map(money).join(" + ") : none;
}
export function addMoney(all: readonly Money[]): Money[] {
  const sums = new Map<string, number>();
  for (const m of all) sums.set(m.currency, (sums.get(m.currency) ?? 0) + m.amount);
  return [...sums].map(([currency, amount]) => ({ currency, amount }));
}

function digits(n: number): string {
  return n
    .toFixed(n >= 100 ? 0 : n >= 10 ? 1 : 2)
    .replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros));
}
/** From microseconds: 12 µs, 3.4 ms, 1.2 s, 3 m 4 s, 2 h 5 m, 3 d. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined) return none;
  if (us < 1_000) return `${digits(us)} µs`;
  if (us < 1e6) return `${digits(us / 1e3)} ms`;
  if (us < 60e6) return `${digits(us / 1e6)} s`;
  const s = Math.round(us / 1e6);
  if (s < 3_600) return `${Math.floor(s / 60)} m ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor(s / 60) % 60} m`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3_600) % 24} h`;
}
export const milliseconds = (ms: number | null | undefined): string =>
  duration(ms === null || ms === undefined ? ms : ms * 1e3);
/** Whole seconds, for what counts on the screen. */
export const seconds = (ms: number): string =>
  duration(Math.max(0, Math.round(ms / 1e3)) * 1e6).replace(/^0 µs$/, "0 s");

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) ((n /= 1024), i++);
  return `${digits(n)} ${units[i]}`;
}

const two = (n: number): string => String(n).padStart(2, "0");
/** Local time of day with milliseconds. */
export function clock(time: string | number): string {
  const d = new Date(time);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}
/** Local date and time. */
export function dateTime(time: string | number): string {
  const d = new Date(time);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
/** An id's both ends. */
export const shortId = (id: string): string => (id.length > 16 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id);
