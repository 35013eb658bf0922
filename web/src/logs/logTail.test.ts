import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { TenantAccess } from "../api/tenant";
import type { StreamOptions } from "../live/stream.svelte";
import { QUIET_MS } from "./logLine";
import { LogTail } from "./logTail.svelte";

let options: StreamOptions;

vi.mock("../live/stream.svelte", () => ({
  EventStream: class {
    constructor(given: StreamOptions) {
      options = given;
    }
    close(): void {}
  },
}));

const access = { url: (path: string) => path, headers: {} } as unknown as TenantAccess;

const open = (): void => options.onOpen?.();
const say = (...lines: string[]): void => {
  for (const line of lines) {
    options.onMessage({ event: "message", data: JSON.stringify({ line }) });
  }
};
const shown = (tail: LogTail): string[] => tail.lines.map(({ raw }) => raw);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begun(): LogTail {
  const tail = new LogTail(access);
  open();
  say("a", "b", "c");
  vi.advanceTimersByTime(200);
  expect(shown(tail)).toEqual(["a", "b", "c"]);
  return tail;
}

test("what a slow line repeats bit by bit is shown once", () => {
  const tail = begun();
  open();
  say("a");
  vi.advanceTimersByTime(500);
  say("b");
  vi.advanceTimersByTime(500);
  expect(shown(tail)).toEqual(["a", "b", "c"]);
  say("c", "d");
  vi.advanceTimersByTime(200);
  expect(shown(tail)).toEqual(["a", "b", "c", "d"]);
  say("e");
  vi.advanceTimersByTime(200);
  expect(shown(tail)).toEqual(["a", "b", "c", "d", "e"]);
});

test("a connection that is cut while it repeats begins anew", () => {
  const tail = begun();
  open();
  say("a", "b");
  vi.advanceTimersByTime(500);
  open();
  say("a", "b", "c", "d");
  vi.advanceTimersByTime(200);
  expect(shown(tail)).toEqual(["a", "b", "c", "d"]);
});

test("a log that began anew is shown once it is quiet", () => {
  const tail = begun();
  open();
  say("x");
  vi.advanceTimersByTime(QUIET_MS - 200);
  expect(shown(tail)).toEqual(["a", "b", "c"]);
  vi.advanceTimersByTime(400);
  expect(shown(tail)).toEqual(["a", "b", "c", "x"]);
});
