import { expect, test } from "vitest";

import { chosen, fresh, isAtLeast, plain, understood } from "./logLine";

test("our own lines", () => {
  const line = understood(
    '{"ts":"2026-11-25T09:00:00.123Z","level":"WARN","target":"worker","message":"slow","ms":900,"who":"a b"}',
  );
  expect(line.level).toBe("warn");
  expect(line.at).toBe(Date.UTC(2026, 10, 25, 9, 0, 0, 123));
  expect(line.text).toBe("worker  slow  ms=900  who=a b");
});

test("lines of pino", () => {
  const line = understood('{"level":50,"time":1764000000000,"msg":"broken","err":{"code":1}}');
  expect(line).toMatchObject({
    level: "error",
    at: 1_764_000_000_000,
    text: 'broken  err={"code":1}',
  });
  expect(understood('{"level":10,"msg":"x"}').level).toBe("trace");
  expect(understood('{"level":60,"msg":"x"}').level).toBe("error");
});

test("lines for people, in colours and in many forms", () => {
  const coloured = understood(
    "\u001b[2m2026-11-25T09:00:00Z\u001b[0m \u001b[31mERROR\u001b[0m worker: no route",
  );
  expect(coloured).toMatchObject({ level: "error", text: "ERROR worker: no route" });
  expect(coloured.at).toBe(Date.UTC(2026, 10, 25, 9));
  expect(understood("[warn] low on memory").level).toBe("warn");
  expect(understood("info: ready").level).toBe("info");
  expect(understood("time=1 level=debug msg=x").level).toBe("debug");
  expect(understood("Info about the shop").level).toBeUndefined();
  expect(understood("Errors are rare").level).toBeUndefined();
});

test("what belongs to a line has its level", () => {
  const error = understood("ERROR it broke");
  const stack = understood("    at main (bot.js:1)", error);
  expect(stack.level).toBe("error");
  expect(understood("something else", stack).level).toBeUndefined();
});

test("what is no object stays as it is", () => {
  for (const raw of ["{not json", "", "   ", "[]", '"text"', "null"]) {
    expect(understood(raw)).toMatchObject({ raw, level: undefined, text: raw });
  }
  expect(plain("\u001b[1;32mok\u001b[0m")).toBe("ok");
});

test("choosing by level and text", () => {
  const lines = ["INFO Ready", "DEBUG detail", "no level at all", "WARN ready again"].map((it) =>
    understood(it),
  );
  const told = (...choice: Parameters<typeof chosen> extends [unknown, ...infer R] ? R : never) =>
    chosen(lines, ...choice).map(({ raw }) => raw);
  expect(told("info", "")).toEqual(["INFO Ready", "no level at all", "WARN ready again"]);
  expect(told(undefined, "READY")).toEqual(["INFO Ready", "WARN ready again"]);
  expect(chosen(lines, undefined, "")).toBe(lines);
  expect(isAtLeast(understood("INFO x"), "error")).toBe(false);
});

test("a stream that was cut goes on without saying anything twice", () => {
  expect(fresh(["a", "b", "c"], ["b", "c", "d"])).toEqual(["d"]);
  expect(fresh(["a", "b"], ["a", "b"])).toEqual([]);
  expect(fresh(["a", "b"], ["x", "y"])).toEqual(["x", "y"]);
  expect(fresh([], ["a"])).toEqual(["a"]);
  expect(fresh(["a", "a"], ["a", "a", "a"])).toEqual(["a"]);
});
