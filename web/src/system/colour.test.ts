import { expect, test } from "vitest";

import { isColour, judge } from "./colour";

test("a colour that is lost on a page is told", () => {
  expect(judge("#0f766e").faintOn).toEqual([]);
  expect(judge("#fff7cc").faintOn).toEqual(["light"]);
  expect(judge("#101820").faintOn).toEqual(["dark"]);
});

test("what stands on it can be read", () => {
  expect(judge("#fff7cc").text).toBe("#000000");
  expect(judge("#101820").text).toBe("#ffffff");
  expect(judge("#808080").contrast).toBeGreaterThanOrEqual(4.5);
});

test("a colour has six digits", () => {
  expect(isColour("#0F766e")).toBe(true);
  expect(isColour("#fff")).toBe(false);
  expect(isColour("teal")).toBe(false);
});
