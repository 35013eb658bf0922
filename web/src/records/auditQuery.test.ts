import { expect, test } from "vitest";

import en from "../i18n/en";
import {
  addressOf,
  AREAS,
  EVERYTHING,
  exportAddress,
  filterFrom,
  filters,
  isFingerprint,
  queryOf,
} from "./auditQuery";

const NOW = Date.UTC(2026, 0, 31, 12);

test("nothing is asked for where nothing is filtered", () => {
  expect(queryOf(EVERYTHING, NOW)).toEqual({});
  expect(filters(EVERYTHING)).toBe(false);
  expect(exportAddress({})).toBe("/admin/audit/export");
});

test("what is filtered is asked for as the API takes it", () => {
  const filter = { ...EVERYTHING, actor: " system ", area: "keys", result: "ok" } as const;
  expect(filters(filter)).toBe(true);
  expect(queryOf({ ...filter, period: "day" }, NOW)).toEqual({
    actor: "system",
    action: "key.*",
    result: "ok",
    since: "2026-01-30T12:00:00.000Z",
  });
  expect(exportAddress(queryOf(filter, NOW))).toBe(
    "/admin/audit/export?actor=system&action=key.*&result=ok",
  );
});

test("times of one's own are those of the reader's zone, and count only where they are chosen", () => {
  const own = { ...EVERYTHING, since: "2026-01-02T03:04", until: "nonsense" };
  expect(queryOf(own, NOW)).toEqual({});
  expect(queryOf({ ...own, period: "own" }, NOW)).toEqual({
    since: new Date(2026, 0, 2, 3, 4).toISOString(),
  });
});

test("the page's address keeps the filter", () => {
  const filter = { ...EVERYTHING, tenant: "x", area: "people", period: "week" } as const;
  const address = new URLSearchParams();
  for (const [name, value] of Object.entries(addressOf(filter))) {
    if (value !== undefined) address.set(name, value);
  }
  expect(address.toString()).toBe("tenant=x&area=people&period=week");
  expect(filterFrom(address)).toEqual(filter);
  expect(filterFrom(new URLSearchParams("area=toString&period=soon"))).toEqual(EVERYTHING);
});

test("every area has a name and asks for no more actions than the server takes", () => {
  for (const [area, actions] of Object.entries(AREAS)) {
    expect(en).toHaveProperty([`audit.area.${area}`]);
    expect(actions.split(",").length).toBeLessThanOrEqual(20);
  }
});

test("a fingerprint is one in form", () => {
  expect(isFingerprint("a".repeat(64))).toBe(true);
  expect(isFingerprint("a".repeat(63))).toBe(false);
  expect(isFingerprint("G".repeat(64))).toBe(false);
});
