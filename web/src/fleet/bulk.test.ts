import { expect, test, vi } from "vitest";

import { Problem } from "../api/problem";
import { AT_ONCE, Bulk, plan } from "./bulk";
import { aRow } from "./fixtures";

const many = (n: number) =>
  Array.from({ length: n }, (_, at) => ({ id: `t${at}`, name: `T ${at}` }));
const tooMany = () => new Problem(429, "too_many_requests", "come again");

/** Runs to the end; `act` answers for each tenant. */
function run(
  n: number,
  act: (id: string) => Promise<void>,
  wait: (milliseconds: number) => Promise<void> = () => Promise.resolve(),
  after?: (bulk: Bulk) => void,
): Promise<Bulk> {
  return new Promise((resolve) => {
    const onProgress = () =>
      queueMicrotask(() => {
        after?.(bulk);
        if (bulk.progress.finished) resolve(bulk);
      });
    const bulk = new Bulk({ targets: many(n), act, onProgress, wait, chance: () => 1 });
  });
}

test("a few at a time, and all of them", async () => {
  let [now, most] = [0, 0];
  const asked: string[] = [];
  const bulk = await run(50, async (id) => {
    asked.push(id);
    most = Math.max(most, ++now);
    await Promise.resolve();
    now -= 1;
  });
  expect(most).toBe(AT_ONCE);
  expect(asked).toEqual(many(50).map(({ id }) => id));
  expect(bulk.progress).toMatchObject({ total: 50, done: 50, left: 0, failures: [] });
});

test("a failure is told with its reason and holds nobody up; those that failed can be tried again", async () => {
  let broken = true;
  const bulk = await run(10, (id) =>
    id === "t3" && broken
      ? Promise.reject(new Problem(502, "worker_start_failed", "it died"))
      : Promise.resolve(),
  );
  expect(bulk.progress).toMatchObject({ done: 9, finished: true });
  expect(bulk.progress.failures).toMatchObject([{ id: "t3", problem: { message: "it died" } }]);
  broken = false;
  bulk.retryFailed();
  await vi.waitFor(() => expect(bulk.progress.finished).toBe(true));
  expect(bulk.progress).toMatchObject({ total: 10, done: 10, failures: [], finished: true });
});

test("where the server says too many, all wait, longer each time", async () => {
  const waits: number[] = [];
  let refusals = 3;
  const bulk = await run(
    20,
    () => (refusals-- > 0 ? Promise.reject(tooMany()) : Promise.resolve()),
    (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  );
  expect(bulk.progress).toMatchObject({ done: 20, failures: [] });
  expect(waits.length).toBeGreaterThan(0);
  expect(waits.length).toBeLessThanOrEqual(3);
  expect([...waits].sort((one, other) => one - other)).toEqual(waits);
});

test("the server is not asked again before it said so", async () => {
  const waits: number[] = [];
  let refused = false;
  await run(
    3,
    () => {
      if (refused) return Promise.resolve();
      refused = true;
      return Promise.reject(new Problem(429, "too_many_requests", "", {}, 7));
    },
    (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  );
  expect(waits).toEqual([7000]);
});

test("a server that says too many for ever is believed in the end", async () => {
  const bulk = await run(2, () => Promise.reject(tooMany()));
  expect(bulk.progress.failures).toHaveLength(2);
});

test("called off, nothing more begins, and what runs is let end", async () => {
  const asked: string[] = [];
  const bulk = await run(
    50,
    async (id) => {
      asked.push(id);
      await Promise.resolve();
    },
    undefined,
    (running) => {
      if (running.progress.done >= 10 && running.progress.cancelled === 0) running.cancel();
    },
  );
  const { done, cancelled, total } = bulk.progress;
  expect(done + cancelled).toBe(total);
  expect(asked).toHaveLength(done);
  expect(cancelled).toBeGreaterThan(0);
});

test("who is as wanted already is left alone", () => {
  const running = aRow("runs");
  const stopped = aRow("stopped", { worker: "STOPPED", desired: "STOPPED" });
  const dying = aRow("dies", { worker: "BACKOFF" });
  const rows = [running, stopped, dying];
  const planned = (action: "start" | "stop" | "restart") => {
    const { targets, skipped } = plan(action, rows);
    return [...targets.map(({ id }) => id), skipped];
  };
  expect(planned("start")).toEqual(["stopped", "dies", 1]);
  expect(planned("stop")).toEqual(["runs", "dies", 1]);
  expect(planned("restart")).toEqual(["runs", "dies", 1]);
});

test("nothing goes on when who began it is signed out", async () => {
  const asked: string[] = [];
  const bulk = await run(50, (id) => {
    asked.push(id);
    return Promise.reject(new Problem(401, "unauthorized", "sign in"));
  });
  expect(asked).toHaveLength(AT_ONCE);
  expect(bulk.progress).toMatchObject({ cancelled: 50 - AT_ONCE, finished: true });
  expect(bulk.progress.failures).toHaveLength(AT_ONCE);
});
