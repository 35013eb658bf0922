import { expect, test } from "vitest";

import { match } from "./match";

test("a path is held against a pattern", () => {
  expect(match("/", "/")).toEqual({});
  expect(match("/", "/tenants")).toBeUndefined();
  expect(match("/tenants/:tenant", "/tenants/duka%20moja")).toEqual({ tenant: "duka moja" });
  expect(match("/tenants/:tenant", "/tenants")).toBeUndefined();
  expect(match("/tenants/:tenant/:part?", "/tenants/duka")).toEqual({ tenant: "duka" });
  expect(match("/tenants/:tenant/:part?", "/tenants/duka/logs/")).toEqual({
    tenant: "duka",
    part: "logs",
  });
  expect(match("/tenants/:tenant", "/tenants/%E0%A4%A")).toBeUndefined();
});
