import { expect, test } from "vitest";

import { newKey } from "./key";

test("a key is a random UUID", () => {
  expect(newKey((bytes) => bytes.fill(0xff))).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
  expect(newKey((bytes) => bytes.fill(0))).toBe("00000000-0000-4000-8000-000000000000");
  expect(newKey((bytes) => bytes.map((_, at) => at))).toBe("00010203-0405-4607-8809-0a0b0c0d0e0f");
});

test("no two are the same", () => {
  const keys = Array.from({ length: 100 }, () => newKey());
  expect(new Set(keys).size).toBe(100);
});
