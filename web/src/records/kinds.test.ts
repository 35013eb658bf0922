import { expect, test } from "vitest";

import en from "../i18n/en";
import { groupOf, GROUPS, spelled, toneOf } from "./kinds";

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
