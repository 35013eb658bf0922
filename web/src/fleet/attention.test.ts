import { expect, test } from "vitest";

import { byKind, needy, places, type AttentionKind } from "./attention";
import { aRow } from "./row.fixture";
import { rowsOf, take } from "./rows";

const needing = (id: string, kind: AttentionKind, since?: string) =>
  aRow(id, { attention: { kind, reason: "why", since: since ?? null } });

test("the most urgent comes first, then what has waited longest", () => {
  const rows = [
    needing("limit", "limit_hit", "2026-01-01T00:00:00Z"),
    needing("late", "stale", "2026-01-02T00:00:00Z"),
    needing("unknown", "stale"),
    aRow("well"),
    needing("early", "stale", "2026-01-01T00:00:00Z"),
    needing("out", "logged_out", "2026-01-01T00:00:00Z"),
  ];
  const order = needy(rows).map(({ id }) => id);
  expect(order).toEqual(["early", "late", "unknown", "out", "limit"]);
  expect(byKind(needy(rows))).toEqual([
    { kind: "stale", n: 3 },
    { kind: "logged_out", n: 1 },
    { kind: "limit_hit", n: 1 },
  ]);
});

test("what is held keeps its place until it is let go", () => {
  const rows = rowsOf([needing("a", "stale"), needing("b", "stale"), needing("c", "failed")]);
  const held = ["a", "b", "c"];
  take(rows, { changed: [aRow("a"), needing("d", "stale")], removed: ["b"] });
  const shown = places(rows, needy(rows.values()), 20, held);
  expect(shown.map(({ row, mended }) => [row.id, mended])).toEqual([
    ["a", true],
    ["c", false],
    ["d", false],
  ]);
  const free = places(rows, needy(rows.values()), 20);
  expect(free.map(({ row }) => row.id)).toEqual(["d", "c"]);
});

test("the queue has an end", () => {
  const rows = rowsOf(Array.from({ length: 50 }, (_, at) => needing(`t${at}`, "failed")));
  expect(places(rows, needy(rows.values()), 20)).toHaveLength(20);
  expect(places(rows, needy(rows.values()), 20, ["t49"])).toHaveLength(20);
});
