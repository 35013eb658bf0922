import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Renewal } from "./renewal";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is asked for together is done once, and then not for a while", async () => {
  const work = vi.fn(() => Promise.resolve());
  const renewal = new Renewal(work, { together: 250, apart: 2000 });
  for (let count = 0; count < 5; count += 1) renewal.ask();
  await vi.advanceTimersByTimeAsync(250);
  expect(work).toHaveBeenCalledTimes(1);
  renewal.ask();
  await vi.advanceTimersByTimeAsync(1999);
  expect(work).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(work).toHaveBeenCalledTimes(2);
});

test("one runs at a time; what is asked for meanwhile is done once, after it", async () => {
  const ends: (() => void)[] = [];
  const work = vi.fn(() => new Promise<void>((done) => void ends.push(done)));
  const renewal = new Renewal(work, { together: 250, apart: 250 });
  renewal.ask();
  await vi.advanceTimersByTimeAsync(250);
  renewal.ask();
  renewal.ask();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(work).toHaveBeenCalledTimes(1);
  ends[0]?.();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(work).toHaveBeenCalledTimes(2);
  ends[1]?.();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(work).toHaveBeenCalledTimes(2);
});

test("a failure does not end it, closing does", async () => {
  const work = vi.fn(() => Promise.reject(new Error("away")));
  const renewal = new Renewal(work, { together: 250, apart: 250 });
  renewal.ask();
  await vi.advanceTimersByTimeAsync(250);
  renewal.ask();
  await vi.advanceTimersByTimeAsync(250);
  expect(work).toHaveBeenCalledTimes(2);
  renewal.ask();
  renewal.close();
  renewal.ask();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(work).toHaveBeenCalledTimes(2);
});
