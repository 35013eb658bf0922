import { expect, test } from "vitest";

import { when } from "./when";

const WORDS: Record<string, string> = {
  "rules.media.image": "Picture",
  "rules.media.voice": "Voice message",
  "rules.language.sw": "Swahili",
};
const named = (key: string, otherwise: string) => WORDS[key] ?? otherwise;

const of = (match: Record<string, unknown>) =>
  when({ name: "rule", match, action: "ignore" }, named).map(({ key }) => key);

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

test("what a rule names stands in the sentence, in words", () => {
  const values = (match: Record<string, unknown>) =>
    when({ name: "r", match, action: "ignore" }, named)[0]?.values;
  expect(values({ keywords: ["bei", "price"] })).toEqual({ words: "bei, price" });
  expect(values({ media: ["image", "voice"] })).toEqual({ kinds: "Picture, Voice message" });
  expect(values({ language: ["sw"] })).toEqual({ languages: "Swahili" });
  // What a newer server names is told as it is.
  expect(values({ media: ["poll"] })).toEqual({ kinds: "poll" });
});
