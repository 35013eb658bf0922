import { expect, test } from "vitest";

import {
  changesOf,
  draftOf,
  faultOf,
  found,
  newPlace,
  placesOf,
  stateOf,
  type User,
} from "./access";

const USER: User = {
  id: "u",
  email: "amina@example.com",
  name: "Amina",
  tenants: [{ tenant_id: "t1", name: "Duka", role: "OWNER" }],
  has_password: true,
  has_totp: false,
  disabled: false,
  created_at: "2026-01-01T00:00:00Z",
};

test("only what was changed is sent", () => {
  expect(changesOf(USER, " Amina ", draftOf(USER))).toBeUndefined();
  expect(changesOf(USER, "Amina K.", draftOf(USER))).toEqual({ name: "Amina K." });
  expect(changesOf(USER, "Amina", { ...draftOf(USER), role: "VIEWER" })).toEqual({
    role: "VIEWER",
  });
  expect(changesOf({ ...USER, role: "ADMIN" }, "Amina", draftOf(USER))).toEqual({ role: "NONE" });
  expect(changesOf(USER, "Amina", { role: "NONE", places: [] })).toEqual({ tenants: [] });
  const other = draftOf(USER);
  const staff = { ...other, places: other.places.map((it) => ({ ...it, role: "STAFF" as const })) };
  expect(changesOf(USER, "Amina", staff)).toEqual({ tenants: [{ tenant: "t1", role: "STAFF" }] });
});

test("an account must be given something, each tenant once", () => {
  expect(faultOf({ role: "NONE", places: [] })).toBe("nothing");
  expect(faultOf({ role: "VIEWER", places: [] })).toBeUndefined();
  expect(faultOf({ role: "NONE", places: [newPlace()] })).toBe("unknown");
  expect(faultOf({ role: "NONE", places: [{ ...newPlace(), tenant: "" }] })).toBe("unknown");
  const place = { ...newPlace(), tenant: "t1" };
  expect(faultOf({ role: "NONE", places: [place] })).toBeUndefined();
  expect(faultOf({ role: "ADMIN", places: [place, { ...newPlace(), tenant: "t1" }] })).toBe(
    "twice",
  );
  expect(placesOf({ role: "NONE", places: [place, newPlace()] })).toEqual([
    { tenant: "t1", role: "OWNER" },
  ]);
});

test("an account stands in one of three ways", () => {
  expect(stateOf(USER)).toBe("active");
  expect(stateOf({ ...USER, disabled: true })).toBe("locked");
  expect(stateOf({ ...USER, has_password: false })).toBe("invited");
  // An identity provider signs in without a password.
  const provided = { ...USER, has_password: false, last_sign_in_at: "2026-01-02T00:00:00Z" };
  expect(stateOf(provided)).toBe("active");
});

test("accounts are found by name, address and tenant", () => {
  expect(found([USER], " DUKA ")).toEqual([USER]);
  expect(found([USER], "example.com")).toEqual([USER]);
  expect(found([USER], "juma")).toEqual([]);
  expect(found([USER], "")).toEqual([USER]);
});
