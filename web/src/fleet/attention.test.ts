import { expect, test } from "vitest";

import { byKind, needy, Queue, type AttentionKind } from "./attention";
import { aRow } from "./fixtures";
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

const stood = (shown: readonly { row: { id: string }; well: boolean }[]) =>
  shown.map(({ row, well }) => (well ? `${row.id} is well` : row.id));

test("what is held keeps its place until it is let go", () => {
  const rows = rowsOf([needing("a", "stale"), needing("b", "stale"), needing("c", "failed")]);
  const queue = new Queue();
  queue.places(rows, needy(rows.values()), 20, 0);
  take(rows, { changed: [aRow("a"), needing("d", "stale")], removed: ["b"] });
  const now = needy(rows.values());
  const held = ["a", "b", "c"];
  expect(stood(queue.places(rows, now, 20, 1000, held))).toEqual(["a is well", "c", "d"]);
  expect(stood(queue.places(rows, now, 20, 60_000, held))).toEqual(["a is well", "c", "d"]);
  expect(stood(queue.places(rows, now, 20, 61_000))).toEqual(["d", "c"]);
});

test("what comes and goes does not jump", () => {
  const rows = rowsOf([needing("a", "stale"), needing("flaps", "restart_loop")]);
  const queue = new Queue();
  const at = (now: number) => stood(queue.places(rows, needy(rows.values()), 20, now));
  expect(at(0)).toEqual(["a", "flaps"]);
  take(rows, { changed: [aRow("flaps")], removed: [] });
  expect(at(1000)).toEqual(["a", "flaps is well"]);
  expect(at(9000)).toEqual(["a", "flaps is well"]);
  take(rows, { changed: [needing("flaps", "restart_loop")], removed: [] });
  expect(at(10_000)).toEqual(["a", "flaps"]);
  take(rows, { changed: [aRow("flaps")], removed: [] });
  expect(at(11_000)).toEqual(["a", "flaps is well"]);
  expect(at(21_000)).toEqual(["a"]);
});

test("the queue has an end", () => {
  const rows = rowsOf(Array.from({ length: 50 }, (_, at) => needing(`t${at}`, "failed")));
  const queue = new Queue();
  expect(queue.places(rows, needy(rows.values()), 20, 0)).toHaveLength(20);
  expect(queue.places(rows, needy(rows.values()), 20, 0, ["t49"])).toHaveLength(20);
});
