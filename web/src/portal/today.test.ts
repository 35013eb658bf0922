import { expect, test, vi } from "vitest";

import { COUNTED, NOTHING, today, withNews } from "./today";

const MIDNIGHT = Date.parse("2026-11-28T00:00:00Z");

/** A message so many minutes after midnight. */
const message = (seq: number, minutes = seq) => ({
  seq,
  at: new Date(MIDNIGHT + minutes * 60_000).toISOString(),
  direction: seq % 2 === 0 ? ("OUT" as const) : ("IN" as const),
});

/** A log that answers page by page. */
function log(messages: ReturnType<typeof message>[]) {
  return vi.fn(({ limit, before = Infinity }: { limit: number; before?: number }) => {
    const older = messages.filter(({ seq }) => seq < before).sort((a, b) => b.seq - a.seq);
    const items = older.slice(0, limit);
    const next = older.length > limit ? (items.at(-1)?.seq ?? null) : null;
    return Promise.resolve({ items, next });
  });
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => message(from + at));

test("today's messages are counted from midnight on", async () => {
  const ask = log([message(1, -1), message(2, 0), message(3), message(4)]);
  const looked = await withNews(NOTHING, MIDNIGHT, ask);
  expect(today(looked, MIDNIGHT)).toEqual({ received: 1, sent: 2, more: false });
  expect(ask).toHaveBeenCalledTimes(1);
});

test("a day is read once, then only what came since", async () => {
  const all = range(1, 120);
  const first = log(all);
  const looked = await withNews(NOTHING, MIDNIGHT, first);
  expect(first).toHaveBeenCalledTimes(3);
  expect(today(looked, MIDNIGHT)).toEqual({ received: 60, sent: 60, more: false });

  const later = log([...all, message(121), message(122)]);
  const renewed = await withNews(looked, MIDNIGHT, later);
  expect(later).toHaveBeenCalledTimes(1);
  expect(today(renewed, MIDNIGHT)).toEqual({ received: 61, sent: 61, more: false });
});

test("where there are too many, it is said; not where they are just so many", async () => {
  const just = await withNews(NOTHING, MIDNIGHT, log(range(1, COUNTED)));
  expect(today(just, MIDNIGHT)).toEqual({ received: 250, sent: 250, more: false });
  const grown = await withNews(just, MIDNIGHT, log(range(1, COUNTED + 1)));
  expect(today(grown, MIDNIGHT)).toEqual({ received: 250, sent: 250, more: true });

  const ask = log(range(1, 1400));
  const many = await withNews(NOTHING, MIDNIGHT, ask);
  expect(ask).toHaveBeenCalledTimes(COUNTED / 50);
  expect(today(many, MIDNIGHT).more).toBe(true);
  const tomorrow = MIDNIGHT + 86_400_000;
  // What was cut off is yesterday's then.
  expect(today(many, tomorrow)).toEqual({ received: 0, sent: 0, more: false });
  const next = await withNews(many, tomorrow, log([...range(1, 1400), message(1401, 1440)]));
  expect(today(next, tomorrow)).toEqual({ received: 1, sent: 0, more: false });
});
