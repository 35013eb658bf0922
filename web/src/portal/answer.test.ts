import { expect, test } from "vitest";

import type { Schemas } from "../api/client";
import { answer, midnightBefore } from "./answer";

const HEALTH: Schemas["WorkerHealth"] = {
  decrypt_failures: 0,
  events_pending: 0,
  inbox_pending: 0,
  outbox_pending: 0,
  reconnects: 0,
};

const worker = (
  status: Schemas["WorkerStatus"],
  more: Partial<Schemas["WorkerView"]> = {},
): Schemas["WorkerView"] => ({
  name: "worker-duka-1",
  desired: "RUNNING",
  status,
  generation: 1,
  restarts: 0,
  ...more,
});

const session = (more: Partial<Schemas["SessionView"]> = {}): Schemas["SessionView"] => ({
  state: "DISCONNECTED",
  paired: false,
  ...more,
});

const ofSession = (more: Partial<Schemas["SessionView"]>) =>
  answer({ worker: worker("RUNNING", { health: HEALTH }), session: session(more) });

test("it works", () => {
  const said = ofSession({ state: "CONNECTED", paired: true });
  expect(said).toEqual({ tone: "good", word: "portal.yes", sentence: "portal.is.connected" });
});

test("it does not, and what helps is said", () => {
  expect(ofSession({ state: "LOGGED_OUT" })).toMatchObject({
    word: "portal.no",
    sentence: "portal.is.loggedOut",
    remedy: "connect",
  });
  expect(ofSession({ state: "QR_READY", pairing: "qr" }).remedy).toBe("connect");
  expect(ofSession({ pairing: "timed_out", detail: "…" }).remedy).toBe("connect");
  expect(answer({ worker: worker("STOPPED"), session: session() }).remedy).toBe("start");
  expect(answer({ worker: worker("BACKOFF"), session: session() }).remedy).toBe("restart");
  expect(answer({ worker: worker("ERROR"), session: session() }).remedy).toBe("restart");
});

test("what nobody here can mend has no button", () => {
  const trouble = { kind: "banned" as const, detail: "…" };
  const said = answer({ worker: worker("ERROR"), session: session({ trouble }) });
  expect(said.sentence).toBe("portal.is.banned");
  expect(said.remedy).toBeUndefined();
});

test("what passes by itself is no alarm", () => {
  expect(answer({ worker: worker("STARTING"), session: session() }).word).toBe("portal.notYet");
  const again = ofSession({ paired: true, detail: "connecting", retry_at: "2026-11-28T12:00:00Z" });
  expect(again).toMatchObject({
    word: "portal.notYet",
    sentence: "portal.is.reconnecting",
    retryAt: "2026-11-28T12:00:00Z",
  });
});

test("a program of the tenant's own runs or does not; more is not known", () => {
  const said = answer({ worker: worker("RUNNING"), session: session() });
  expect(said).toMatchObject({ word: "portal.yes", sentence: "portal.is.running" });
});

test("a day begins at midnight where the viewer is", () => {
  const now = new Date(2026, 10, 28, 13, 45).getTime();
  expect(midnightBefore(now)).toBe(new Date(2026, 10, 28).getTime());
});
