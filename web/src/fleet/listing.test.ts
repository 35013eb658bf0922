import { expect, test } from "vitest";

import { choiceOf, filtersSet, isDescending, type Choice } from "./choice";
import { Listing } from "./listing";
import { aRow } from "./fixtures";
import { rowsOf, take } from "./rows";

const choice = (query = ""): Choice => choiceOf(new URLSearchParams(query));
const ids = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);

test("a choice is read from an address, without what nobody knows", () => {
  const read = choice("q=duka&status=ACTIVE&attention=any&worker=FLYING&sort=memory&order=reverse");
  expect(read).toMatchObject({ text: "duka", status: "ACTIVE", attention: "any", sort: "memory" });
  expect(read.worker).toBeUndefined();
  expect(read.reverse).toBe(true);
  expect(filtersSet(read)).toBe(2);
  expect(choice("sort=colour").sort).toBe("name");
});

test("figures begin with the largest, words with the first", () => {
  expect(isDescending(choice("sort=memory"))).toBe(true);
  expect(isDescending(choice("sort=memory&order=reverse"))).toBe(false);
  expect(isDescending(choice("sort=name"))).toBe(false);
});

test("a tenant is found by name, short name and number", () => {
  const rows = rowsOf([
    aRow("a", { name: "Café Ngozi", slug: "cafe-ngozi", phone: "+254700000001" }),
    aRow("b", { name: "Duka la Amina", slug: "duka-la-amina", phone: "+254711222333" }),
    aRow("c", { name: "Ngozi 2", slug: "ngozi-2" }),
  ]);
  const found = (text: string) => ids(new Listing().list(rows, { ...choice(), text }));
  expect(found("cafe")).toEqual(["a"]);
  expect(found("NGOZI")).toEqual(["a", "c"]);
  expect(found("amina duka")).toEqual(["b"]);
  expect(found("duka-la")).toEqual(["b"]);
  expect(found("711 222 333")).toEqual(["b"]);
  expect(found("+254 711")).toEqual(["b"]);
  expect(found("  ")).toEqual(["a", "b", "c"]);
  expect(found("nobody")).toEqual([]);
});

test("filters narrow together", () => {
  const rows = rowsOf([
    aRow("well"),
    aRow("out", { session: "LOGGED_OUT", attention: { kind: "logged_out", reason: "" } }),
    aRow("stale", { heartbeat: "stale", attention: { kind: "stale", reason: "" } }),
    aRow("off", { worker: "STOPPED", status: "PAUSED" }),
  ]);
  const found = (query: string) => ids(new Listing().list(rows, choice(query)));
  expect(found("attention=any")).toEqual(["out", "stale"]);
  expect(found("attention=stale")).toEqual(["stale"]);
  expect(found("attention=any&session=CONNECTED")).toEqual(["stale"]);
  expect(found("status=PAUSED")).toEqual(["off"]);
  expect(found("heartbeat=stale&worker=STOPPED")).toEqual([]);
});

test("rows are sorted, equal ones by name as people count", () => {
  const rows = rowsOf([
    aRow("x", { name: "shop 10", restarts: 1 }),
    aRow("y", { name: "Shop 9", restarts: 3 }),
    aRow("z", { name: "Äpfel", restarts: 1, memory_bytes: null }),
  ]);
  const listing = new Listing();
  const listed = (query: string) => ids(listing.list(rows, choice(query)));
  expect(listed("")).toEqual(["z", "y", "x"]);
  expect(listed("order=reverse")).toEqual(["x", "y", "z"]);
  expect(listed("sort=restarts")).toEqual(["y", "z", "x"]);
  expect(listed("sort=restarts&order=reverse")).toEqual(["z", "x", "y"]);
  expect(listed("sort=memory").at(-1)).toBe("z");
});

test("what is broken stands first by status and worker", () => {
  const rows = rowsOf([
    aRow("a"),
    aRow("b", { status: "ERROR", worker: "ERROR" }),
    aRow("c", { status: "PAUSED", worker: "STOPPED" }),
  ]);
  const listing = new Listing();
  expect(ids(listing.list(rows, choice("sort=status")))).toEqual(["b", "c", "a"]);
  expect(ids(listing.list(rows, choice("sort=worker")))).toEqual(["b", "a", "c"]);
});

test("an order is held, while what the rows say changes", () => {
  const rows = rowsOf([aRow("a", { cpu_percent: 9 }), aRow("b", { cpu_percent: 5 }), aRow("c")]);
  const listing = new Listing();
  const byCpu = choice("sort=cpu");
  expect(ids(listing.list(rows, byCpu, true))).toEqual(["a", "b", "c"]);
  const changed = [aRow("b", { cpu_percent: 50 }), aRow("d", { cpu_percent: 70 })];
  take(rows, { changed, removed: ["a"] });
  const held = listing.list(rows, byCpu, true);
  expect(ids(held)).toEqual(["b", "c", "d"]);
  expect(held[0]?.cpu_percent).toBe(50);
  expect(ids(listing.list(rows, byCpu))).toEqual(["d", "b", "c"]);
  expect(ids(listing.list(rows, choice(), true))).toEqual(["b", "c", "d"]);
});

test("a listing that remembers gives what a new one would give", () => {
  const rows = rowsOf(
    Array.from({ length: 200 }, (_, at) =>
      aRow(`t${at}`, { name: `shop ${(at * 37) % 200}`, cpu_percent: (at * 7) % 50 }),
    ),
  );
  const listing = new Listing();
  const queries = ["sort=cpu", "sort=cpu", "q=1&sort=cpu", "sort=cpu", "", "order=reverse"];
  for (const [round, query] of queries.entries()) {
    const changed = [5, 50, 150].map((at) =>
      aRow(`t${at}`, { name: `other ${round}`, cpu_percent: round * 9 }),
    );
    take(rows, { changed: [...changed, aRow(`new${round}`)], removed: [`t${round}`] });
    const expected = ids(new Listing().list(rows, choice(query)));
    expect(ids(listing.list(rows, choice(query))), query).toEqual(expected);
  }
});
