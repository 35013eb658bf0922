import { expect, test } from "vitest";

import { matching, meant } from "./tenantChoice";

const tenant = (id: string, name: string, slug: string) => ({ id, name, slug });
const TENANTS = [
  tenant("1", "Duka la Amina", "duka"),
  tenant("2", "Salon Zuri", "salon-zuri"),
  tenant("3", "Salon Zuri", "salon-zuri-2"),
  tenant("4", "Mama Duka", "mama"),
];

test("what begins with it is offered before what holds it", () => {
  expect(matching(TENANTS, "DUKA").map(({ id }) => id)).toEqual(["1", "4"]);
  expect(matching(TENANTS, "").length).toBe(4);
  expect(matching(TENANTS, "nobody")).toEqual([]);
});

test("never are too many offered", () => {
  const many = Array.from({ length: 500 }, (_, n) => tenant(String(n), `Shop ${n}`, `shop-${n}`));
  expect(matching(many, "shop").length).toBe(30);
  expect(matching(many, "").length).toBe(30);
});

test("a tenant is meant by short name, by a name that is its alone, or by id", () => {
  expect(meant(TENANTS, " Duka ")).toBe("1");
  expect(meant(TENANTS, "mama duka")).toBe("4");
  expect(meant(TENANTS, "Salon Zuri")).toBeUndefined();
  expect(meant(TENANTS, "du")).toBeUndefined();
  expect(meant(TENANTS, "")).toBe("");
  const id = "6f1f9a30-2a53-4a8e-9a8e-0d5f6a1b2c3d";
  expect(meant(TENANTS, id)).toBe(id);
});
