import type { Schemas } from "../api/client";

export type Event = Schemas["EventView"];

/** The most events that are shown at once; the oldest go. The server gives no more at once either. */
export const MOST = 1000;

/** How many of the newest a list begins with. */
export const FIRST = 200;

/** How many more are asked for at once. */
export const STEP = 200;

/** What is shown, newest first, with what came to it: each event once, and at most `most` of the newest. */
export function merged(
  shown: readonly Event[],
  come: readonly Event[],
  most = MOST,
): readonly Event[] {
  if (come.length === 0) return shown;
  const known = new Set(shown.map(({ seq }) => seq));
  const fresh = new Map<number, Event>();
  for (const event of come) if (!known.has(event.seq)) fresh.set(event.seq, event);
  if (fresh.size === 0) return shown;
  return [...fresh.values(), ...shown].sort((one, other) => other.seq - one.seq).slice(0, most);
}

/**
 * How many of the newest to ask for, to see some that are older than what is shown; `undefined` when no more may be shown.
 * Pages begin with the oldest that is kept, so what is just before an event is asked for from the newest end.
 */
export function lastFor(shown: number): number | undefined {
  return shown >= MOST ? undefined : Math.min(MOST, shown + STEP);
}

/** The address of a stream that begins with some of the newest. */
export function streamAddress(base: string, kinds: string | undefined): string {
  const query = new URLSearchParams({ follow: "true", last: String(FIRST) });
  if (kinds !== undefined) query.set("kind", kinds);
  return `${base}?${query}`;
}

/** Events of a day, newest first. */
export interface Day {
  /** What the day is known by. */
  name: string;
  /** When the newest of them was. */
  at: string;
  events: Event[];
}

/**
 * Events by the days that they fall on, each day once; `dayOf` says which day that is where the reader lives. The log's
 * order is not quite that of the clocks, so a day's last event may come after the next day's first.
 */
export function byDay(events: readonly Event[], dayOf: (at: string) => string): Day[] {
  const days = new Map<string, Day>();
  for (const event of events) {
    const name = dayOf(event.at);
    const day = days.get(name);
    if (day === undefined) days.set(name, { name, at: event.at, events: [event] });
    else day.events.push(event);
  }
  return [...days.values()];
}
