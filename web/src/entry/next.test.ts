import { expect, test } from "vitest";

import { nextPath } from "./next";

const ORIGIN = "https://bots.example.com";

test("a path of ours is gone to", () => {
  expect(nextPath("/tenants/duka/logs?level=warn", ORIGIN)).toBe("/tenants/duka/logs?level=warn");
  expect(nextPath("/bot", ORIGIN)).toBe("/bot");
});

test.each([
  null,
  "",
  "tenants",
  "https://elsewhere.example.com/",
  "//elsewhere.example.com/",
  "/\\elsewhere.example.com",
  "/\t/elsewhere.example.com",
  "/..//elsewhere.example.com",
  "javascript:alert(1)",
  "/sign-in?next=/tenants",
])("%s leads to the start", (asked) => {
  expect(nextPath(asked, ORIGIN)).toBe("/");
});
