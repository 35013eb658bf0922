import { expect, test } from "vitest";

import { Slots } from "./slots";

test("a row keeps its slot, and a new one takes over what left", () => {
  const slots = new Slots();
  expect(slots.of(["a", "b", "c"])).toEqual([0, 1, 2]);
  expect(slots.of(["b", "c", "d"])).toEqual([1, 2, 0]);
  expect(slots.of(["d", "c", "b"]), "another order").toEqual([0, 2, 1]);
});

test("no two rows have the same slot, however far it goes at once", () => {
  const slots = new Slots();
  for (const from of [0, 3, 50, 48, 2, 0]) {
    const keys = Array.from({ length: 10 + (from % 7) }, (_, at) => `row ${from + at}`);
    expect(new Set(slots.of(keys)).size).toBe(keys.length);
  }
});

test("the slot with the focus goes to nobody else", () => {
  const slots = new Slots();
  slots.of(["a", "b"]);
  expect(slots.of(["b", "c"], "a")).toEqual([1, 2]);
  expect(slots.of(["a"]), "it is gone, and so is what had it").not.toContain(0);
});
