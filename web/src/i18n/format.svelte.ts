import { currentLocale, t } from "./language.svelte";

/** The time now, for what says how long ago something was; one clock for the whole page. */
let now = $state(Date.now());
setInterval(() => {
  if (!document.hidden) now = Date.now();
}, 5000);

/** The time now, which moves on by itself. */
export const clock = (): number => now;

/** What writes numbers, once for each language and form: making one takes longer than a row has. */
const writers = new Map<string, Intl.NumberFormat>();

function written(value: number, form: Intl.NumberFormatOptions): string {
  const name = `${currentLocale()} ${form.unit} ${form.maximumFractionDigits}`;
  let writer = writers.get(name);
  if (writer === undefined) {
    writer = new Intl.NumberFormat(currentLocale(), form);
    writers.set(name, writer);
  }
  return writer.format(value);
}

const SPANS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** How long ago, or how far ahead: "3 minutes ago". */
export function ago(at: string | number): string {
  const span = new Date(at).getTime() - Math.max(now, Date.now() - 5000);
  const format = new Intl.RelativeTimeFormat(currentLocale(), { numeric: "auto" });
  for (const [unit, length] of SPANS) {
    if (Math.abs(span) >= length) {
      if (unit === "second" && Math.abs(span) < 5000) break;
      return format.format(Math.trunc(span / length), unit);
    }
  }
  return t("time.justNow");
}

/** A length of time in its two largest units: "2 h 5 min". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "day"],
    [Math.floor(seconds / 3600) % 24, "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first === -1 ? parts.slice(3) : parts.slice(first, first + 2);
  return shown
    .map(([count, unit]) => written(count, { style: "unit", unit, unitDisplay: "short" }))
    .join(" ");
}

/** A moment in the viewer's zone. */
export function moment(at: string | number): string {
  const format = { dateStyle: "medium", timeStyle: "medium" } as const;
  return new Intl.DateTimeFormat(currentLocale(), format).format(new Date(at));
}

/** The time of the day in the viewer's zone. */
export function timeOfDay(at: string | number): string {
  const format = { hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(currentLocale(), format).format(new Date(at));
}

/** The time of the day to the second, in the viewer's zone. */
export function timeToTheSecond(at: string | number): string {
  const format = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  return new Intl.DateTimeFormat(currentLocale(), format).format(new Date(at));
}

/** The day in the viewer's zone. */
export function day(at: string | number): string {
  return new Intl.DateTimeFormat(currentLocale(), { dateStyle: "full" }).format(new Date(at));
}

/** A number as the language writes it. */
export const number = (value: number, digits = 0): string =>
  written(value, { maximumFractionDigits: digits });

const BYTES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A number of bytes, in the unit that suits it; a kilobyte has 1024. */
export function bytes(value: number): string {
  let [rest, unit] = [value, 0];
  while (rest >= 1024 && unit < BYTES.length - 1) [rest, unit] = [rest / 1024, unit + 1];
  return written(rest, {
    style: "unit",
    unit: BYTES[unit] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: rest < 10 && unit > 0 ? 1 : 0,
  });
}

/** A phone number as people read it: with a plus and in groups. */
export function phone(digits: string): string {
  const bare = digits.replace(/^\+/, "").replace(/[@:].*$/, "");
  if (!/^\d{7,15}$/.test(bare)) return bare;
  return `+${bare.slice(0, 3)} ${bare.slice(3).replace(/(\d{3})(?=\d{3})/g, "$1 ")}`;
}
