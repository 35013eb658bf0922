import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Problem } from "../api/problem";
import type { StreamOptions } from "../live/stream.svelte";
import { aRow, aSample as sample } from "./fixtures";

/** What the server answers, by path; a problem is thrown. */
const answers = new Map<string, unknown>();
const asked: string[] = [];
/** Streams that were opened, with whether they are open. */
const streams: { options: StreamOptions; open: boolean }[] = [];

vi.mock("../api/client", () => ({
  api: {
    GET: (path: string) => {
      asked.push(path);
      return path;
    },
  },
  answered: (path: string) => {
    const answer = answers.get(path);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  },
}));

vi.mock("../live/stream.svelte", () => ({
  EventStream: class {
    readonly #own: { options: StreamOptions; open: boolean };
    constructor(options: StreamOptions) {
      this.#own = { options, open: true };
      streams.push(this.#own);
    }
    close(): void {
      this.#own.open = false;
    }
  },
}));

const { fleet, followFleet } = await import("./fleet.svelte");

const ROWS = "/admin/fleet/tenants";
const NUMBERS = "/admin/fleet";

function say(event: string, data: unknown): void {
  streams.at(-1)?.options.onMessage({ event, data: JSON.stringify(data) });
}

const openStreams = () => streams.filter(({ open }) => open).map(({ options }) => options.url());
const settle = () => vi.advanceTimersByTimeAsync(0);
let leave: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  asked.length = 0;
  streams.length = 0;
  answers.set(ROWS, { items: [aRow("a"), aRow("b")], cursor: "one.5" });
  answers.set(NUMBERS, { restarts: 1, history: [sample(10)] });
  leave = followFleet();
  await settle();
});

afterEach(async () => {
  leave();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(openStreams()).toEqual([]);
  expect(fleet.rows.size).toBe(0);
  vi.useRealTimers();
});

test("the stream begins where the rows end, and changes are taken in", () => {
  expect([...fleet.rows.keys()]).toEqual(["a", "b"]);
  expect(openStreams()).toEqual(["/admin/fleet/stream?after=one.5"]);
  const untouched = fleet.rows.get("b");
  say("rows", { changed: [aRow("a", { name: "A" }), aRow("c")], removed: [] });
  expect([...fleet.rows.values()].map(({ name }) => name)).toEqual(["A", "b", "c"]);
  expect(fleet.rows.get("b")).toBe(untouched);
  say("rows", { changed: [], removed: ["a"] });
  expect([...fleet.rows.keys()]).toEqual(["b", "c"]);
});

test("numbers are replaced, and their newest sample joins the hour", () => {
  say("fleet", { restarts: 7, newest: sample(20), history: [] });
  say("fleet", { restarts: 8, newest: sample(20), history: [] });
  expect(fleet.numbers?.restarts).toBe(8);
  expect(fleet.samples).toEqual([sample(10), sample(20)]);
});

test("samples that were missed are fetched", async () => {
  answers.set(NUMBERS, { restarts: 9, history: [sample(10), sample(20), sample(600)] });
  say("fleet", { restarts: 9, newest: sample(600), history: [] });
  await settle();
  expect(fleet.samples).toHaveLength(3);
});

test("after a reset everything is loaded anew, with a stream of its own", async () => {
  answers.set(ROWS, { items: [aRow("z")], cursor: "two.1" });
  say("reset", {});
  expect(openStreams()).toEqual([]);
  expect([...fleet.rows.keys()], "the old ones are shown meanwhile").toEqual(["a", "b"]);
  await vi.advanceTimersByTimeAsync(500);
  expect([...fleet.rows.keys()]).toEqual(["z"]);
  expect(openStreams()).toEqual(["/admin/fleet/stream?after=two.1"]);
});

test("what cannot be loaded is tried again, less and less often", async () => {
  answers.set(ROWS, new Problem(503, "store_unavailable", "the database is away"));
  say("reset", {});
  asked.length = 0;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(fleet.problem?.code).toBe("store_unavailable");
  expect(fleet.loaded).toBe(true);
  const tries = asked.filter((path) => path === ROWS).length;
  expect(tries).toBeGreaterThan(2);
  expect(tries).toBeLessThan(12);
  answers.set(ROWS, { items: [], cursor: "three.1" });
  await vi.advanceTimersByTimeAsync(15_000);
  expect(fleet.problem).toBeUndefined();
  expect(fleet.rows.size).toBe(0);
});

test("from one page to the next it goes on; nobody there, it ends", async () => {
  const next = followFleet();
  leave();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(openStreams()).toHaveLength(1);
  next();
  await vi.advanceTimersByTimeAsync(1000);
  leave = followFleet();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(openStreams()).toHaveLength(1);
  expect(asked.filter((path) => path === ROWS)).toHaveLength(1);
});
