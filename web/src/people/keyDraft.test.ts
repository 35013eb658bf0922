import { expect, test } from "vitest";

import en from "../i18n/en";
import { example, expiry, keyOf, SCOPES, ticked } from "./keyDraft";

test("a key for everything needs nothing else", () => {
  expect(ticked(["send"], "read", true)).toEqual(["read", "send"]);
  expect(ticked(["read", "send"], "read", false)).toEqual(["send"]);
  expect(ticked(["read", "send"], "admin", true)).toEqual(["admin"]);
  expect(ticked(["admin"], "send", true)).toEqual(["send"]);
});

test("a draft becomes what the API takes", () => {
  const draft = { name: " shop ", scopes: ["send"], tenant: "t1", lifetime: "90" } as const;
  expect(keyOf(draft)).toEqual({
    name: "shop",
    scopes: ["send"],
    tenant: "t1",
    expires_in_days: 90,
  });
  expect(keyOf({ ...draft, scopes: ["admin"], lifetime: "never" })).toEqual({
    name: "shop",
    scopes: ["admin"],
  });
  expect(keyOf({ ...draft, tenant: "" })).not.toHaveProperty("tenant");
});

test("the example asks for something that the key may do", () => {
  const line = (scopes: readonly (typeof SCOPES)[number][], tenant?: string) =>
    example("https://bots.example", "tnt_x", scopes, tenant);
  expect(line(["read", "send"], "t1")).toContain("https://bots.example/v1/tenants/t1/messages");
  expect(line(["read"])).toBe(
    "curl https://bots.example/admin/tenants \\\n  -H 'authorization: Bearer tnt_x'",
  );
  expect(line(["read"], "t1")).toContain("/admin/tenants/t1/status");
  expect(line(["control"])).toContain("/worker/restart");
  expect(line(["settings"])).toContain("/auth/session");
});

test("a key's end is told before it comes", () => {
  const now = Date.UTC(2026, 0, 1);
  expect(expiry(undefined, now)).toBe("none");
  expect(expiry("2025-12-31T23:59:59Z", now)).toBe("over");
  expect(expiry("2026-01-10T00:00:00Z", now)).toBe("soon");
  expect(expiry("2026-03-10T00:00:00Z", now)).toBe("far");
});

test("every scope is explained", () => {
  for (const scope of SCOPES) {
    expect(en).toHaveProperty([`scope.${scope}`]);
    expect(en).toHaveProperty([`scope.${scope}.about`]);
  }
});
