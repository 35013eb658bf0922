import { expect, test } from "vitest";

import { brandText, contrast, onColour } from "./contrast";

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

test("links in any brand's colour can be read on light and on dark pages", () => {
  for (const colour of [
    "#0f766e",
    "#ffd400",
    "#ffffff",
    "#000000",
    "#ff0000",
    "#00ff66",
    "#777777",
  ]) {
    expect(contrast(brandText(colour, "light"), "#eceef2"), colour).toBeGreaterThanOrEqual(4.5);
    expect(contrast(brandText(colour, "dark"), "#1f2631"), colour).toBeGreaterThanOrEqual(4.5);
  }
});
