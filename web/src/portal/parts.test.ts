import { expect, test } from "vitest";

import { addressOf, PARTS, partOf, partsFor } from "./parts";

test("each part has an address", () => {
  expect(partOf(undefined)).toBe("home");
  expect(partOf("home")).toBeUndefined();
  expect(partOf("elsewhere")).toBeUndefined();
  for (const part of PARTS) expect(partOf(addressOf(part).split("/")[2])).toBe(part);
});

test("staff see less", () => {
  const staff = new Set(["read", "send"]);
  expect(partsFor((permission) => staff.has(permission))).toEqual(["home", "messages", "answers"]);
  expect(partsFor(() => true)).toEqual([...PARTS]);
});
