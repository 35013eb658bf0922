import { expect, test } from "vitest";

import { may } from "./may";

test("a grant for the fleet is one for each tenant, never the other way round", () => {
  const fleet = [{ permissions: ["read" as const] }];
  expect(may(fleet, "read", "a")).toBe(true);
  expect(may(fleet, "control", "a")).toBe(false);
  const owner = [{ tenant_id: "a", permissions: ["control" as const] }];
  expect(may(owner, "control", "a")).toBe(true);
  expect(may(owner, "control", "b")).toBe(false);
  expect(may(owner, "control")).toBe(false);
});

test("an administrator may everything", () => {
  expect(may([{ permissions: ["admin"] }], "people", "a")).toBe(true);
});
