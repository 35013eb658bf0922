import { expect, test } from "vitest";

import {
  closedText,
  documentOf,
  greetingDocument,
  greetingOf,
  isSame,
  openTextsOf,
  textsOf,
  withClosedText,
  withHours,
  withText,
  zoneOf,
} from "./document";

const DOCUMENT = {
  time_zone: "Africa/Nairobi",
  webhook: { url: "https://shop.example.com/whatsapp" },
  variables: { till: "4711" },
  hours: [{ days: ["mon-fri"], from: "08:00", to: "18:00" }],
  rules: [
    { name: "order", match: { regex: ["\\d+"] }, action: "webhook" },
    {
      name: "person",
      match: { keywords: ["agent"] },
      action: { hand_over: { minutes: 60, reply: "Soon." } },
    },
    {
      name: "prices",
      match: { keywords: ["bei"] },
      action: { media: { file: "p.pdf", caption: "Here." } },
    },
    { name: "anything else", action: { reply: "Write bei." } },
  ],
};

test("texts are found wherever they stand", () => {
  const texts = textsOf(DOCUMENT);
  expect(texts.map(({ index, place, text }) => [index, place, text])).toEqual([
    [1, "hand_over", "Soon."],
    [2, "media", "Here."],
    [3, "reply", "Write bei."],
  ]);
});

test("one text is changed, and nothing else", () => {
  for (const text of textsOf(DOCUMENT)) {
    const changed = withText(DOCUMENT, text, "New.");
    const back = withText(changed, text, text.text);
    expect(isSame(changed, DOCUMENT)).toBe(false);
    expect(back).toEqual(DOCUMENT);
  }
});

test("hours are changed, and nothing else", () => {
  const changed = withHours(DOCUMENT, [], "Africa/Nairobi");
  expect(changed.hours).toBeUndefined();
  expect(withHours(changed, DOCUMENT.hours, "Africa/Nairobi")).toEqual(DOCUMENT);
  expect(withHours(DOCUMENT, DOCUMENT.hours, "Africa/Kampala").time_zone).toBe("Africa/Kampala");
});

test("hours that are switched off and on again keep their zone", () => {
  const here = "Europe/Berlin";
  const off = withHours(DOCUMENT, [], zoneOf(DOCUMENT, here));
  const on = withHours(off, DOCUMENT.hours, zoneOf(off, here));
  expect(on.time_zone).toBe("Africa/Nairobi");
  // Hours without a zone are the server's, and the viewer's where there are none yet.
  expect(zoneOf({ rules: [], hours: DOCUMENT.hours }, here)).toBe("UTC");
  expect(zoneOf({ rules: [] }, here)).toBe(here);
});

test("the answer while closed stands before what matches everything", () => {
  const changed = withClosedText(DOCUMENT, "Closed.");
  expect(changed.rules.map(({ name }) => name)).toEqual([
    "order",
    "person",
    "prices",
    "closed",
    "anything else",
  ]);
  expect(closedText(changed)).toBe("Closed.");
  expect(openTextsOf(changed)).toHaveLength(3);
  expect(closedText(withClosedText(changed, "Shut."))).toBe("Shut.");
  expect(withClosedText(changed, "")).toEqual(DOCUMENT);
});

test("its name is not one that is taken", () => {
  const taken = { rules: [{ name: "closed", match: { keywords: ["x"] }, action: "ignore" }] };
  expect(withClosedText(taken, "Shut.").rules[1]?.name).toBe("closed 2");
});

test("a greeting alone stays a greeting", () => {
  const greeting = "Karibu {duka}";
  const document = greetingDocument(greeting);
  expect(greetingOf(document)).toBe(greeting);
  const [text] = textsOf(document);
  if (text === undefined) throw new Error("there is a text");
  expect(greetingOf(withText(document, text, "Hello"))).toBe("Hello");
});

test("what a greeting cannot do makes it a document", () => {
  const document = greetingDocument("Karibu");
  const [text] = textsOf(document);
  if (text === undefined) throw new Error("there is a text");
  expect(greetingOf(withText(document, text, "Karibu {name}"))).toBeUndefined();
  expect(greetingOf(withHours(document, DOCUMENT.hours, "UTC"))).toBeUndefined();
  const closed = withClosedText(document, "Closed.");
  expect(greetingOf(closed)).toBeUndefined();
  expect(closed.rules.map(({ name }) => name)).toEqual(["closed", "greeting"]);
});

test("what the server has is read with care", () => {
  expect(documentOf(null)).toBeUndefined();
  expect(documentOf({ business: "Duka" })).toEqual({ business: "Duka", rules: [] });
});
