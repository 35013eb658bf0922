import { expect, test } from "vitest";

import { visible } from "./visible";

test("rows in sight and a few beyond", () => {
  expect(visible(0, 400, 40, 10_000)).toEqual({ from: 0, to: 18 });
  expect(visible(4000, 400, 40, 10_000)).toEqual({ from: 92, to: 118 });
  expect(visible(399_600, 400, 40, 10_000)).toEqual({ from: 9982, to: 10_000 });
});

test("a list that became shorter or empty shows what it has", () => {
  expect(visible(40_000, 400, 40, 5)).toEqual({ from: 4, to: 5 });
  expect(visible(0, 400, 40, 0)).toEqual({ from: 0, to: 0 });
  expect(visible(-50, 400, 40, 3)).toEqual({ from: 0, to: 3 });
});
