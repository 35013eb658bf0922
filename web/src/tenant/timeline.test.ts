import { expect, test } from "vitest";

import { hours, phaseNow, spans, wellFor } from "./timeline";

const at = (minute: number): string => new Date(minute * 60_000).toISOString();
const event = (minute: number, kind: string) => ({ kind, at: at(minute) });
const window = { from: 0, to: 100 * 60_000, reports: true };
const told = (found: ReturnType<typeof spans>) =>
  found.map(({ phase, from, to }) => [phase, from / 60_000, to / 60_000]);

test("events become the whiles between them", () => {
  const events = [
    event(10, "worker.started"),
    event(11, "session.qr_ready"),
    event(20, "session.connected"),
    event(50, "session.disconnected"),
    event(52, "session.connected"),
    event(80, "worker.stopped"),
  ];
  expect(told(spans(events, "stopped", window))).toEqual([
    ["unknown", 0, 10],
    ["waiting", 10, 11],
    ["pairing", 11, 20],
    ["connected", 20, 50],
    ["waiting", 50, 52],
    ["connected", 52, 80],
    ["stopped", 80, 100],
  ]);
});

test("what happened before the window is how it begins", () => {
  const events = [event(-30, "worker.started"), event(-20, "session.connected")];
  expect(told(spans(events, "connected", window))).toEqual([["connected", 0, 100]]);
});

test("a crash and a start at the same moment leave no gap and no empty while", () => {
  const events = [
    event(-5, "session.connected"),
    event(40, "worker.died"),
    event(40, "worker.started"),
    event(40, "session.connected"),
  ];
  expect(told(spans(events, "connected", window))).toEqual([["connected", 0, 100]]);
});

test("a bot that fell silent is not connected until it is heard again", () => {
  const events = [
    event(0, "session.connected"),
    event(30, "worker.stale"),
    event(60, "worker.recovered"),
  ];
  expect(told(spans(events, "connected", window))).toEqual([
    ["connected", 0, 30],
    ["stale", 30, 60],
    ["connected", 60, 100],
  ]);
});

test("without events it was as it is now; a program without a session just runs", () => {
  expect(told(spans([], "stopped", window))).toEqual([["stopped", 0, 100]]);
  const events = [event(0, "worker.started"), event(10, "worker.migrated")];
  const silent = { ...window, reports: false };
  expect(told(spans(events, "running", silent))).toEqual([["running", 0, 100]]);
});

test("whiles follow each other without holes, whatever the events", () => {
  const kinds = ["worker.started", "worker.died", "session.connected", "worker.stale", "other"];
  for (let seed = 1; seed < 200; seed += 1) {
    const events = Array.from({ length: seed % 9 }, (_, index) =>
      event(((index + 1) * seed) % 130, kinds[(seed * (index + 3)) % kinds.length] ?? ""),
    ).sort((a, b) => a.at.localeCompare(b.at));
    const found = spans(events, "stopped", window);
    expect(found[0]?.from).toBe(window.from);
    expect(found.at(-1)?.to).toBe(window.to);
    for (const [index, span] of found.entries()) {
      expect(span.to).toBeGreaterThan(span.from);
      if (index > 0) expect(span.from).toBe(found[index - 1]?.to);
    }
  }
});

test("the share of the time that is known", () => {
  const found = spans(
    [event(20, "session.connected"), event(80, "worker.stopped")],
    "stopped",
    window,
  );
  expect(wellFor(found, true)).toBeCloseTo(60 / 80);
  expect(wellFor([{ phase: "unknown", from: 0, to: 5 }], true)).toBeUndefined();
});

test("a status is a phase", () => {
  const worker = {
    name: "w",
    desired: "RUNNING",
    status: "RUNNING",
    generation: 1,
    restarts: 0,
  } as const;
  const session = { state: "QR_READY", paired: false } as const;
  expect(phaseNow({ worker, session }, true)).toBe("pairing");
  expect(phaseNow({ worker, session }, false)).toBe("running");
  expect(phaseNow({ worker: { ...worker, status: "BACKOFF" }, session }, true)).toBe("failed");
});

test("full hours", () => {
  const from = new Date(2026, 10, 25, 9, 20).getTime();
  const found = hours(from, from + 8 * 3_600_000, 3);
  expect(found.map((moment) => new Date(moment).getHours())).toEqual([12, 15]);
});
