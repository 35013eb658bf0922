import { expect, test } from "vitest";

import { portalPath } from "./tenant";

test("what an operator asks for is found under the portal", () => {
  expect(portalPath("/admin/tenants/duka%20moja/messages")).toBe("/portal/tenant/current/messages");
  expect(portalPath("/v1/tenants/duka/messages")).toBe("/portal/tenant/current/messages");
  expect(portalPath("/admin/tenants/duka")).toBe("/portal/tenant/current");
  expect(portalPath("/admin/tenants/duka", "PATCH")).toBe("/portal/tenant/current/settings");
  expect(portalPath("/v1/messages/7")).toBe("/v1/messages/7");
});
