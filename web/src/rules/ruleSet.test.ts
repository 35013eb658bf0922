import { expect, test } from "vitest";

import {
  changedTo,
  daysOf,
  daysWritten,
  DAYS,
  freeName,
  having,
  isSame,
  kindOf,
  listed,
  moved,
  type Day,
  type Match,
} from "./ruleSet";

test("days and their ranges, there and back", () => {
  expect([...daysOf(["mon-wed", "sun"])]).toEqual(["mon", "tue", "wed", "sun"]);
  expect([...daysOf(["sat-mon"])]).toEqual(["sat", "sun", "mon"]);
  expect([...daysOf(["Friday", ""])]).toEqual([]);
  expect(daysWritten(new Set<Day>(["mon", "tue", "wed", "thu", "fri", "sun"]))).toEqual([
    "mon-fri",
    "sun",
  ]);
  expect(daysWritten(new Set<Day>(["mon", "tue"]))).toEqual(["mon", "tue"]);
  for (let bits = 0; bits < 128; bits += 1) {
    const days = new Set(DAYS.filter((_, index) => (bits >> index) & 1));
    expect(daysOf(daysWritten(days))).toEqual(days);
  }
});

test("an action becomes another one and keeps its text", () => {
  expect(changedTo("hand_over", { reply: "Wait" })).toEqual({
    hand_over: { minutes: 60, reply: "Wait" },
  });
  expect(changedTo("reply", { hand_over: { minutes: 5, reply: "Wait" } })).toEqual({
    reply: "Wait",
  });
  expect(changedTo("ignore", { reply: "x" })).toBe("ignore");
  expect(changedTo("media", "webhook")).toEqual({ media: { url: "", kind: "image" } });
  expect(kindOf({ reply: "" })).toBe("reply");
  expect(kindOf({ later: 1 } as never)).toBeUndefined();
});

test("a field is changed, or taken away where it says nothing", () => {
  const match: Match = { keywords: ["bei"], group: false };
  expect(having(match, "keywords", [])).toEqual({ group: false });
  expect(having(match, "group", undefined)).toEqual({ keywords: ["bei"] });
  expect(having(match, "first_contact", false)).toEqual({ ...match, first_contact: false });
});

test("moving stays within the list", () => {
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 2, 5)).toEqual(["a", "b", "c"]);
  expect(moved(["a", "b", "c"], 2, -9)).toEqual(["c", "a", "b"]);
});

test("emptiness and order are no change, the order of rules is", () => {
  const rule = { name: "a", action: { reply: "x" } };
  const other = { action: "ignore" as const, name: "b", match: {} };
  expect(isSame({ rules: [rule], hours: [] }, { variables: {}, rules: [rule] })).toBe(true);
  expect(isSame({ rules: [rule, other] }, { rules: [other, rule] })).toBe(false);
  expect(isSame({ rules: [] }, undefined)).toBe(false);
  expect(isSame({ rules: [{ ...rule, match: { group: false } }] }, { rules: [rule] })).toBe(false);
});

test("names and lists", () => {
  expect(freeName([], "rule")).toBe("rule");
  const named = (name: string) => ({ name, action: "ignore" as const });
  expect(freeName([named("rule"), named("rule 2")], "rule")).toBe("rule 3");
  expect(listed(" bei, price list\n\n,x ")).toEqual(["bei", "price list", "x"]);
});
