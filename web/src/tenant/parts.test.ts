import { expect, test } from "vitest";

import { partOf } from "./parts";

test("an address names a part that whoever looks may see", () => {
  expect(partOf(undefined, () => false)).toBe("overview");
  expect(partOf("logs", () => true)).toBe("logs");
  expect(partOf("audit", (needs) => needs !== "admin")).toBeUndefined();
  expect(partOf("elsewhere", () => true)).toBeUndefined();
});
