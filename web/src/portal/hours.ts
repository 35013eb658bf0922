/** The days of a week, as the rules document names them. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export type Day = (typeof DAYS)[number];

/** A time of the day in which the business is open: `HH:MM`. A `to` before `from` is on the next day. */
export interface Span {
  from: string;
  to: string;
}

/** When the business is open, day by day; an empty list is a day on which it is closed. */
export type Week = Record<Day, Span[]>;

/** An entry of the rules document's `hours`. */
export interface Hours extends Span {
  days: string[];
}

/** Closed on each day. */
export const closed = (): Week =>
  Object.fromEntries(DAYS.map((day) => [day, [] as Span[]])) as unknown as Week;

/** The week that the document's `hours` describe; what is not understood is left out. */
export function weekOf(hours: readonly Hours[]): Week {
  const week = closed();
  for (const { days, from, to } of hours) {
    for (const day of new Set(days.flatMap(daysOf))) week[day].push({ from, to });
  }
  for (const day of DAYS) week[day].sort((a, b) => a.from.localeCompare(b.from));
  return week;
}

/** The days that a word such as `mon-fri` stands for. A range may go over the week's end. */
function daysOf(word: string): Day[] {
  const [first = "", last = first] = word.trim().toLowerCase().split("-");
  const start = DAYS.indexOf(first.trim() as Day);
  const end = DAYS.indexOf(last.trim() as Day);
  if (start === -1 || end === -1) return [];
  const count = ((end - start + 7) % 7) + 1;
  return Array.from({ length: count }, (_, step) => DAYS[(start + step) % 7] ?? "mon");
}

/** The document's `hours` for a week: days with the same times stand together. */
export function hoursOf(week: Week): Hours[] {
  const byTimes = new Map<string, { span: Span; days: Day[] }>();
  for (const day of DAYS) {
    for (const span of week[day]) {
      const key = `${span.from} ${span.to}`;
      const known = byTimes.get(key);
      if (known === undefined) byTimes.set(key, { span, days: [day] });
      else if (!known.days.includes(day)) known.days.push(day);
    }
  }
  return [...byTimes.values()].map(({ span, days }) => ({ days: ranges(days), ...span }));
}

/** Days in their order as ranges: Monday to Friday is `mon-fri`. */
function ranges(days: readonly Day[]): string[] {
  const words: string[] = [];
  let index = 0;
  while (index < days.length) {
    const first = days[index] ?? "mon";
    let last = first;
    while (days[index + 1] === DAYS[DAYS.indexOf(last) + 1] && index + 1 < days.length) {
      index += 1;
      last = days[index] ?? last;
    }
    words.push(first === last ? first : `${first}-${last}`);
    index += 1;
  }
  return words;
}
