import { expect, test } from "vitest";

import { pieces } from "./highlight";

const marked = (text: string, sought: string): string =>
  pieces(text, sought)
    .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
    .join("");

test("every place is marked, in capitals or not", () => {
  expect(marked("Bei gani? bei nafuu", "BEI")).toBe("[Bei] gani? [bei] nafuu");
  expect(marked("aaa", "aa")).toBe("[aa]a");
  expect(marked("<b>", "<")).toBe("[<]b>");
});

test("what is not there or nothing leaves the text whole", () => {
  expect(pieces("Habari", "x")).toEqual([{ text: "Habari", hit: false }]);
  expect(pieces("Habari", "")).toEqual([{ text: "Habari", hit: false }]);
  expect(pieces("", "x")).toEqual([{ text: "", hit: false }]);
  expect(marked("İstanbul", "stan")).toBe("İstanbul");
});
