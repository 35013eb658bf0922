import { expect, test } from "vitest";

import { contrast, onColour } from "./contrast";

test("contrast is WCAG's", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 1);
});

test("text on any colour can be read", () => {
  expect(onColour("#0f766e")).toBe("#ffffff");
  expect(onColour("#ffe600")).toBe("#000000");
  for (let shade = 0; shade < 256; shade += 5) {
    const part = shade.toString(16).padStart(2, "0");
    const colour = `#${part}${part}${part}`;
    expect(contrast(colour, onColour(colour))).toBeGreaterThanOrEqual(4.5);
  }
});
