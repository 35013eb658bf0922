import { expect, test } from "vitest";

import { strength } from "./strength";

test("length counts most", () => {
  expect(strength("Tr0ub4dor&3")).toBe("short");
  expect(strength("samaki wanaogelea polepole")).toBe("good");
  expect(strength("kiti-dirisha1")).toBe("fair");
});

test("what is easily guessed is weak, however long", () => {
  expect(strength("aaaaaaaaaaaaaaaaaaaaaaa")).toBe("weak");
  expect(strength("password1234")).toBe("weak");
  expect(strength("wanjiru12345", ["Wanjiru", "w@example.com"])).toBe("weak");
});

test("characters are counted, not their parts", () => {
  expect(strength("🦒🦓🐘🦏🦛🐆")).toBe("short");
});
