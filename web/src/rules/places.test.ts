import { expect, test } from "vitest";

import { lineOf, NoJson, placeOf, places } from "./places";

const TEXT = JSON.stringify(
  { rules: [{ name: "a", match: { regex: ["(", "x"] }, action: "ignore" }], "a.b": -1.5e3 },
  undefined,
  2,
);

test("every value is found by the path that the server writes", () => {
  const found = places(TEXT);
  const at = (path: string) => {
    const place = found.get(path);
    return place && TEXT.slice(place.from, place.to);
  };
  expect(at("rules[0].match.regex[0]")).toBe('"("');
  expect(at("rules[0].action")).toBe('"ignore"');
  expect(at("")).toBe(TEXT);
  for (const path of found.keys())
    expect(() => JSON.parse(at(path) ?? "") as unknown).not.toThrow();
});

test("what is missing is shown where it would belong", () => {
  const found = places(TEXT);
  expect(placeOf(found, "rules[0].action.reply")).toEqual(found.get("rules[0].action"));
  expect(placeOf(found, "rules[7].name")).toEqual(found.get("rules"));
  expect(placeOf(found, "hours[0].from")).toEqual(found.get(""));
});

test("what is no JSON is told with its place", () => {
  const wrong = (text: string) => {
    try {
      places(text);
    } catch (error) {
      return error instanceof NoJson ? [error.message, error.at] : error;
    }
    return undefined;
  };
  expect(wrong('{"a" 1}')).toEqual(["rules.json.colon", 5]);
  expect(wrong('{"a": 1,}')).toEqual(["rules.json.string", 8]);
  expect(wrong("[1 2]")).toEqual(["rules.json.comma", 3]);
  expect(wrong("[01]")).toEqual(["rules.json.comma", 2]);
  expect(wrong("{} {}")).toEqual(["rules.json.more", 3]);
  expect(wrong("nothing")).toEqual(["rules.json.value", 0]);
  expect(wrong('"a\nb"')).toEqual(["rules.json.string", 0]);
});

test("it takes what JSON takes and no more", () => {
  for (const text of [
    "",
    "[",
    "{}",
    "[]",
    " 1 ",
    '"\\u00e4"',
    '"\\x"',
    "[1,]",
    "-",
    "1.",
    "tru",
    '{"a":[{}]}',
  ]) {
    const isJson = (() => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    })();
    const isOurs = (() => {
      try {
        places(text);
        return true;
      } catch {
        return false;
      }
    })();
    expect(isOurs, text).toBe(isJson);
  }
});

test("lines and columns", () => {
  expect(lineOf("a\nbc\nd", 0)).toEqual({ line: 1, column: 1 });
  expect(lineOf("a\nbc\nd", 3)).toEqual({ line: 2, column: 2 });
  expect(lineOf("a\nbc\nd", 5)).toEqual({ line: 3, column: 1 });
});
