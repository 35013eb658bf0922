import { expect, test } from "vitest";

import { byLevel, partsOf, pieces, type Finding, type Level } from "./findings";

const finding = (check: string, level: Level): Finding => ({
  check,
  level,
  found: "",
  meaning: "",
});

test("the worst stands first, and nothing stands for nothing", () => {
  const groups = byLevel([finding("a", "ok"), finding("b", "problem"), finding("c", "ok")]);
  expect(groups.map(({ level, findings }) => [level, findings.map((it) => it.check)])).toEqual([
    ["problem", ["b"]],
    ["ok", ["a", "c"]],
  ]);
  expect(byLevel([])).toEqual([]);
});

test("ill parts stand first and say why", () => {
  expect(partsOf({ disk: "ok", store: "no answer within 2 s", upkeep: "ok" })).toEqual([
    { part: "store", detail: "no answer within 2 s" },
    { part: "disk" },
    { part: "upkeep" },
  ]);
});

test("commands are told from words", () => {
  expect(pieces("run `tenantry server` there")).toEqual([
    { text: "run ", code: false },
    { text: "tenantry server", code: true },
    { text: " there", code: false },
  ]);
  expect(pieces("`x`")).toEqual([{ text: "x", code: true }]);
  expect(pieces("")).toEqual([]);
});
