import { expect, test } from "vitest";

import { beside, within } from "./mistakes";

const mistakes = new Map([
  ["rules[1].match.regex[0]", "no expression"],
  ["rules[1].action.reply", "unknown variable"],
  ["rules[10]", "too much"],
  ["hours[0].from", "no time"],
]);

test("mistakes stand where they belong, once", () => {
  expect(within(mistakes, "rules[1]")).toEqual(["no expression", "unknown variable"]);
  expect(within(mistakes, "rules[1]", ["rules[1].action"])).toEqual(["no expression"]);
  expect(within(mistakes, "rules[2]")).toEqual([]);
  expect(beside(mistakes, "rules[1].action")).toBe("unknown variable");
  expect(beside(mistakes, "hours[0].to")).toBeUndefined();
});
