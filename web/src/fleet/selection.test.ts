import { expect, test } from "vitest";

import { existing, ranged, toggled } from "./selection";

const listed = ["a", "b", "c", "d", "e"].map((id) => ({ id }));

test("one is selected, and not any more", () => {
  const one = toggled(new Set(), "a");
  expect([...one]).toEqual(["a"]);
  expect(toggled(one, "a").size).toBe(0);
});

test("a range goes both ways, and takes away where the row was selected", () => {
  expect([...ranged(new Set(["b"]), listed, "b", "d")].sort()).toEqual(["b", "c", "d"]);
  expect([...ranged(new Set(["d"]), listed, "d", "b")].sort()).toEqual(["b", "c", "d"]);
  expect([...ranged(new Set(["b", "c", "d", "e"]), listed, "b", "d")]).toEqual(["e"]);
});

test("a range from a row that is not listed is the row alone", () => {
  expect([...ranged(new Set(["x"]), listed, "x", "c")].sort()).toEqual(["c", "x"]);
});

test("tenants that are no more are not selected", () => {
  const selection = new Set(["a", "b"]);
  expect(existing(selection, new Map([["a", 1]]))).toEqual(new Set(["a"]));
  const rows = new Map([
    ["a", 1],
    ["b", 1],
  ]);
  expect(existing(selection, rows)).toBe(selection);
});
