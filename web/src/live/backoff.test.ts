import { expect, test } from "vitest";

import { pause } from "./backoff";

test("waits grow, have a bound, and are spread", () => {
  expect(pause(1, 1)).toBe(500);
  expect(pause(1, 0)).toBe(250);
  expect(pause(3, 1)).toBe(2000);
  expect(pause(30, 1)).toBe(15_000);
  expect(pause(30, 0)).toBe(7500);
});
