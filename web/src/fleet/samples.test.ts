import { expect, test } from "vitest";

import { aSample as sample } from "./fixtures";
import { isGap, MOST, perMinute, withNewest, type Sample } from "./samples";

test("an hour is kept, however long it goes on", () => {
  let samples: readonly Sample[] = [];
  for (let step = 0; step < 3 * MOST; step += 1) samples = withNewest(samples, sample(step * 10));
  expect(samples).toHaveLength(MOST);
  expect(samples.at(-1)).toEqual(sample((3 * MOST - 1) * 10));
  expect(samples[0]).toEqual(sample(2 * MOST * 10));
});

test("a sample that is known already changes nothing", () => {
  const samples = [sample(10), sample(20)];
  expect(withNewest(samples, sample(20))).toBe(samples);
  expect(withNewest(samples, sample(10))).toBe(samples);
});

test("missing samples show", () => {
  expect(isGap([sample(10)], sample(20))).toBe(false);
  expect(isGap([sample(10)], sample(200))).toBe(true);
  expect(isGap([], sample(200))).toBe(false);
});

test("a rate is what came in the last minute", () => {
  const samples = [1, 0, 0, 2, 0, 0, 4, 0].map((received, step) => sample(step * 10, received));
  expect(perMinute(samples, ({ received }) => received)).toEqual([1, 1, 1, 3, 3, 3, 6, 6]);
});

test("a full hour has lost what came before it", () => {
  const samples = Array.from({ length: MOST }, (_, step) => sample(step * 10, 2));
  const rates = perMinute(samples, ({ received }) => received);
  expect(rates.slice(0, 7)).toEqual([null, null, null, null, null, 12, 12]);
});
