import { expect, test } from "vitest";

import { problemOf, unreachable } from "../api/problem";
import { isFinal } from "./refusal";

const PAGE = undefined;

test.each([404, 408, 425])("a proxy's %i is a cut; the server's is for good", (status) => {
  expect(isFinal(problemOf(status, PAGE))).toBe(false);
  expect(isFinal(problemOf(status, { code: "unknown_tenant", detail: "there is none" }))).toBe(
    true,
  );
});

test("any other refusal is for good, whoever says it", () => {
  expect([400, 401, 403, 410].every((status) => isFinal(problemOf(status, PAGE)))).toBe(true);
});

test("what passes by itself is never for good", () => {
  expect([429, 500, 502, 503].some((status) => isFinal(problemOf(status, PAGE)))).toBe(false);
  expect(isFinal(problemOf(429, { code: "too_many_requests" }))).toBe(false);
  expect(isFinal(unreachable())).toBe(false);
});
