import { expect, test } from "vitest";

import type { Schemas } from "../api/client";
import { actions, standing } from "./standing";

const worker = (more: Partial<Schemas["WorkerView"]> = {}): Schemas["WorkerView"] => ({
  name: "worker-duka",
  desired: "RUNNING",
  status: "RUNNING",
  generation: 3,
  restarts: 0,
  pid: 4711,
  ...more,
});

const session = (more: Partial<Schemas["SessionView"]> = {}): Schemas["SessionView"] => ({
  state: "CONNECTED",
  paired: true,
  ...more,
});

test("a bot that is well says that it is connected", () => {
  const said = standing({ worker: worker(), session: session() }, true);
  expect(said).toEqual({ tone: "good", says: "tenant.stands.connected" });
});

test("a program that tells of no session is not said to be cut off", () => {
  const cut = { worker: worker(), session: session({ state: "DISCONNECTED", paired: false }) };
  expect(standing(cut, false).says).toBe("tenant.stands.running");
  expect(standing(cut, true).tone).toBe("warn");
});

test("what waits for the phone leads to where it is connected", () => {
  for (const state of ["QR_READY", "LOGGED_OUT"] as const) {
    expect(standing({ worker: worker(), session: session({ state }) }, true).at).toBe("connect");
  }
  const timedOut = session({ state: "DISCONNECTED", paired: false, pairing: "timed_out" });
  expect(standing({ worker: worker(), session: timedOut }, true).at).toBe("connect");
});

test("an error says what happened and where to look", () => {
  const dead = worker({ status: "ERROR", pid: null, last_error: "exited with 3" });
  expect(standing({ worker: dead, session: session() }, true)).toEqual({
    tone: "bad",
    says: "tenant.stands.failed",
    detail: "exited with 3",
    remedy: "tenant.remedy.logs",
    at: "logs",
  });
  const trouble = { kind: "banned" as const, detail: "The account is banned." };
  const banned = { worker: worker({ status: "ERROR" }), session: session({ trouble }) };
  expect(standing(banned, true)).toMatchObject({ says: "tenant.trouble.banned", tone: "bad" });
});

test("when it tries again by itself is told", () => {
  const retry_at = "2026-11-25T09:00:00Z";
  const cut = session({ state: "DISCONNECTED", detail: "no route", retry_at });
  const said = standing({ worker: worker(), session: cut }, true);
  expect(said).toMatchObject({ detail: "no route", retryAt: retry_at });
});

test("only what makes sense can be done", () => {
  expect(actions(worker({ status: "STOPPED" }))).toEqual(["start"]);
  expect(actions(worker())).not.toContain("start");
  expect(actions(worker({ status: "ERROR" }))).toContain("restart");
});
