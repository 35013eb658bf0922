import { expect, test } from "vitest";

import { when } from "./when";

const of = (match: Record<string, unknown>) =>
  when({ name: "rule", match, action: "ignore" }).map(({ key }) => key);

test("conditions are told in words", () => {
  expect(of({})).toEqual(["portal.when.anything"]);
  expect(of({ media: ["text"] })).toEqual(["portal.when.anything"]);
  expect(of({ first_contact: true, language: ["sw"] })).toEqual([
    "portal.when.first",
    "portal.when.language",
  ]);
  expect(of({ hours: "closed" })).toEqual(["portal.when.closed"]);
  expect(of({ keywords: ["bei"], keyword_mode: "exact" })).toEqual(["portal.when.keywords"]);
  expect(of({ moon: "full" })).toEqual(["portal.when.more"]);
});

test("keywords stand in the sentence", () => {
  const [condition] = when({ name: "r", match: { keywords: ["bei", "price"] }, action: "ignore" });
  expect(condition?.values).toEqual({ words: "bei, price" });
});
