import { expect, test } from "vitest";

import { byDay, lastFor, merged, MOST, streamAddress, type Event } from "./eventLog";

const event = (seq: number, at = "2026-01-31T10:00:00Z"): Event => ({
  seq,
  at,
  kind: "message.in",
  detail: "",
});
const numbers = (events: readonly Event[]) => events.map(({ seq }) => seq);

test("the newest stand first, each once, wherever they come from", () => {
  const shown = merged([], [event(3), event(5)]);
  expect(numbers(shown)).toEqual([5, 3]);
  expect(numbers(merged(shown, [event(6), event(5), event(1), event(6)]))).toEqual([6, 5, 3, 1]);
  expect(merged(shown, [event(3)])).toBe(shown);
  expect(merged(shown, [])).toBe(shown);
});

test("the oldest go when there are too many", () => {
  const shown = merged([], [event(1), event(2), event(3)], 3);
  expect(numbers(merged(shown, [event(4)], 3))).toEqual([4, 3, 2]);
});

test("older ones are asked for until as many are shown as may be", () => {
  expect(lastFor(200)).toBe(400);
  expect(lastFor(MOST - 1)).toBe(MOST);
  expect(lastFor(MOST)).toBeUndefined();
});

test("a stream is asked for by kind where one is chosen", () => {
  expect(streamAddress("/admin/events", undefined)).toBe("/admin/events?follow=true&last=200");
  expect(streamAddress("/x", "message.*,worker.died")).toBe(
    "/x?follow=true&last=200&kind=message.*%2Cworker.died",
  );
});

test("each day stands once, the newest first", () => {
  const events = [
    event(4, "2026-02-01T09:00:00Z"),
    event(3, "2026-01-31T23:59:59Z"),
    event(2, "2026-02-01T00:00:00Z"),
  ];
  const days = byDay(events, (at) => at.slice(0, 10));
  expect(days.map((it) => [it.name, numbers(it.events)])).toEqual([
    ["2026-02-01", [4, 2]],
    ["2026-01-31", [3]],
  ]);
  expect(byDay([], (at) => at)).toEqual([]);
});
