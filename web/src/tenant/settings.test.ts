import { expect, test } from "vitest";

import type { Schemas } from "../api/client";
import {
  changes,
  fieldsOf,
  needsRestart,
  numberIn,
  variables,
  whole,
  withNumber,
} from "./settings";

const view = {
  id: "01a2",
  name: "Duka",
  slug: "duka",
  phone: "+254700000001",
  status: "ACTIVE",
  config: {
    greeting: "Karibu",
    rate_limit_max_per_minute: 10,
    command: ["/usr/bin/node", "bot.js"],
    env: { A: "1=2" },
    heartbeat: "link",
  },
} as unknown as Schemas["TenantView"];

test("only what differs is changed", () => {
  const fields = fieldsOf(view);
  expect(changes(view, fields)).toEqual({});
  const next = { ...fields, name: "Duka 2", perMinute: "25", phone: " " };
  expect(changes(view, next)).toEqual({ name: "Duka 2", rate_limit_max_per_minute: 25, phone: "" });
  expect(needsRestart(changes(view, next))).toBe(false);
});

test("a phone is sent as a number, however it was typed", () => {
  const fields = fieldsOf(view);
  expect(changes(view, { ...fields, phone: "00254 (711) 000-002" })).toEqual({
    phone: "+254711000002",
  });
  expect(changes(view, { ...fields, phone: " 0711 " })).toEqual({ phone: "0711" });
});

test("a program and its variables, a line each", () => {
  const fields = { ...fieldsOf(view), command: "", env: "A=1=2\n\nB\nC=x y" };
  expect(changes(view, fields)).toEqual({ command: [], env: { A: "1=2", B: "", C: "x y" } });
  expect(needsRestart(changes(view, fields))).toBe(true);
  expect(variables("")).toEqual({});
});

test("what is no number is refused by the server, not sent as one", () => {
  expect(["12", "12.9", "", "x", "-3", "1e400"].map(whole)).toEqual([12, 12, 0, 0, 0, 0]);
});

test("a number of the pacing is changed, and nothing else", () => {
  const pacing = {
    off: false,
    contact: { max: 20, minutes: 10, beyond: "wait" },
    typing: { per_character_ms: 30, least_ms: 600, most_ms: 4000, jitter_percent: 25 },
    quiet: null,
    warm_up: { first_day: 20, growth_percent: 20, most: 1000 },
    slowdown: { pause_seconds: 60, recovery_minutes: 15 },
  } as Schemas["Pacing"];
  const next = withNumber(pacing, "contact", "max", 5);
  expect(numberIn(next, "contact", "max")).toBe(5);
  expect(next).toEqual({ ...pacing, contact: { max: 5, minutes: 10, beyond: "wait" } });
  expect(numberIn(pacing, "contact", "max")).toBe(20);
});
