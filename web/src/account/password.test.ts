import { expect, test } from "vitest";

import { digitsOf, grouped, passwordFault } from "./password";

test("a new password is long enough, new, and written the same twice", () => {
  const good = "a long sentence";
  expect(passwordFault("old", good, good)).toBeUndefined();
  expect(passwordFault("old", "short", "short")).toBe("short");
  expect(passwordFault("old", "x".repeat(129), "x".repeat(129))).toBe("long");
  expect(passwordFault(good, good, good)).toBe("same");
  expect(passwordFault("old", good, `${good}!`)).toBe("different");
  // Characters count, not what they take.
  expect(passwordFault("old", "😀".repeat(11), "")).toBe("short");
});

test("a secret is grouped, a code is cleaned", () => {
  expect(grouped("ABCDEFGHIJ")).toBe("ABCD EFGH IJ");
  expect(grouped("ABCD")).toBe("ABCD");
  expect(digitsOf(" 123 456 ")).toBe("123456");
  expect(digitsOf("1234567")).toBe("123456");
});
