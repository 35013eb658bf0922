import { expect, test } from "vitest";

import en from "../i18n/en";
import { groupOf, GROUPS, spelled, toneOf, withMoments } from "./kinds";

test("a choice asks for no more kinds than the server takes at once", () => {
  for (const kinds of Object.values(GROUPS)) {
    const asked = kinds.split(",");
    expect(asked.length).toBeLessThanOrEqual(20);
    for (const kind of asked) expect(kind).toMatch(/^[a-z]+\.(\*|[a-z_]+)$/);
  }
});

test("an address may name anything", () => {
  expect(groupOf("messages")).toBe("messages");
  expect(groupOf("toString")).toBeUndefined();
  expect(groupOf(null)).toBeUndefined();
});

test("what is trouble has words, and a colour that says so", () => {
  for (const kind of GROUPS.trouble.split(",").filter((it) => !it.endsWith("*"))) {
    expect(en, kind).toHaveProperty([`event.${kind}`]);
    expect(["warn", "bad"], kind).toContain(toneOf(kind));
  }
});

test("a kind without words is spelled out", () => {
  expect(spelled("store.re_keyed")).toBe("store: re keyed");
  expect(spelled("odd")).toBe("odd");
  expect(toneOf("odd")).toBe("calm");
});

test("times in a detail are written for people", () => {
  const year = (at: string) => String(new Date(at).getUTCFullYear());
  expect(withMoments("good until 2026-11-28T21:20:16.014744509+00:00; again", year)).toBe(
    "good until 2026; again",
  );
  expect(withMoments("2026-99-99T99:99:99Z", year)).toBe("2026-99-99T99:99:99Z");
});
