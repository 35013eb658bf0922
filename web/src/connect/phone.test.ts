import { expect, test } from "vitest";

import { phoneNumber } from "./phone";

test.each([
  ["+254 700 000 001", "+254700000001"],
  ["254-700-000-001", "+254700000001"],
  ["00254 (700) 000001", "+254700000001"],
  ["  ", ""],
])("%s is a number", (typed, number) => {
  expect(phoneNumber(typed)).toBe(number);
});

test.each(["0700 000 001", "+0700000001", "12345", "+254 seven", "1234567890123456"])(
  "%s is none",
  (typed) => {
    expect(phoneNumber(typed)).toBeUndefined();
  },
);
