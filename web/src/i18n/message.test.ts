import { expect, test } from "vitest";

import en from "./en";
import { fill, type Message } from "./message";
import sw from "./sw";

test("places are filled, numbers as the language writes them", () => {
  expect(fill("{who} has {n}", "en", { who: "Amina", n: 12_345 })).toBe("Amina has 12,345");
  expect(fill("{who} has {n}", "en", { who: "Amina" })).toBe("Amina has {n}");
});

test("the plural form is the language's", () => {
  const message = { one: "{n} bot", other: "{n} bots" };
  expect(fill(message, "en", { n: 1 })).toBe("1 bot");
  expect(fill(message, "en", { n: 0 })).toBe("0 bots");
});

const places = (message: Message): string[] => {
  const texts = typeof message === "string" ? [message] : [message.one, message.other];
  return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();
};

test("every language has every text, with the same places in it", () => {
  expect(Object.keys(sw).sort()).toEqual(Object.keys(en).sort());
  for (const [key, message] of Object.entries(en) as [keyof typeof en, Message][]) {
    expect(places(sw[key]), key).toEqual(places(message));
    const texts = typeof sw[key] === "string" ? [sw[key]] : Object.values(sw[key]);
    for (const text of texts) expect(text.trim(), key).not.toBe("");
  }
});
