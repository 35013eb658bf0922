import { expect, test } from "vitest";

import type { Schemas } from "../api/client";
import { canAskForCode, inGroups, progress, secondsLeft, stage, type Known } from "./progress";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const SOON = "2026-11-28T12:00:20Z";
const BEFORE = "2026-11-28T11:59:59Z";

const worker = (status: Schemas["WorkerStatus"]): Schemas["WorkerView"] => ({
  name: "worker-duka-1",
  desired: "RUNNING",
  status,
  generation: 1,
  restarts: 0,
});

const session = (more: Partial<Schemas["SessionView"]> = {}): Schemas["SessionView"] => ({
  state: "DISCONNECTED",
  paired: false,
  ...more,
});

const code: Schemas["PairingCode"] = { code: "ABCD1234", expires_at: SOON, phone: "+254700000001" };

test.each<[string, Known, ReturnType<typeof progress>]>([
  ["a stopped worker", { worker: worker("STOPPED"), session: session() }, "stopped"],
  ["a stopping worker", { worker: worker("STOPPING"), session: session() }, "stopping"],
  ["a starting one", { worker: worker("STARTING"), session: session() }, "starting"],
  [
    "one that starts with a login",
    { worker: worker("STARTING"), session: session({ paired: true }) },
    "reconnecting",
  ],
  [
    "one that connects",
    { worker: worker("RUNNING"), session: session({ detail: "connecting" }) },
    "starting",
  ],
  ["one that falls over", { worker: worker("BACKOFF"), session: session() }, "failed"],
  [
    "a program of the tenant's own",
    { worker: worker("RUNNING"), session: session() },
    "own_program",
  ],
  ["a link's holder who sees nothing", { session: session() }, "absent"],
  ["a link's holder while it connects", { session: session({ detail: "connecting" }) }, "starting"],
  [
    "a code to scan",
    {
      session: session({ state: "QR_READY", pairing: "qr" }),
      qr: { state: "QR_READY", code: "x", expires_at: SOON },
    },
    "scan",
  ],
  [
    "a code that is over",
    {
      session: session({ state: "QR_READY", pairing: "qr" }),
      qr: { state: "QR_READY", code: "x", expires_at: BEFORE },
    },
    "next_code",
  ],
  [
    "a caller who may not see the code",
    { worker: worker("RUNNING"), session: session({ state: "QR_READY", pairing: "qr" }) },
    "next_code",
  ],
  [
    "a code that was asked for",
    { session: session({ pairing: "code_requested" }) },
    "code_requested",
  ],
  [
    "a code to type",
    { session: session({ state: "QR_READY", pairing: "code", pairing_code: code }) },
    "code",
  ],
  ["a code to type that is over", { session: session({ pairing: "code" }) }, "code_expired"],
  ["nobody scanned", { session: session({ pairing: "timed_out", detail: "…" }) }, "timed_out"],
  ["called off", { session: session({ pairing: "cancelled", detail: "…" }) }, "cancelled"],
  ["refused", { session: session({ pairing: "refused", detail: "…" }) }, "refused"],
  ["a passkey", { session: session({ pairing: "passkey_needed", detail: "…" }) }, "passkey_needed"],
  [
    "logged out",
    { worker: worker("RUNNING"), session: session({ state: "LOGGED_OUT" }) },
    "logged_out",
  ],
  [
    "banned",
    { worker: worker("ERROR"), session: session({ trouble: { kind: "banned", detail: "…" } }) },
    "trouble",
  ],
  [
    "connected",
    { worker: worker("RUNNING"), session: session({ state: "CONNECTED", paired: true }) },
    "connected",
  ],
  [
    "stopped while it was connected",
    { worker: worker("STOPPED"), session: session({ paired: true }) },
    "stopped",
  ],
])("%s", (_, known, step) => {
  expect(progress(known, NOW)).toBe(step);
});

test("the three steps go forward", () => {
  expect(stage("starting")).toBe(1);
  expect(stage("scan")).toBe(2);
  expect(stage("timed_out")).toBe(2);
  expect(stage("connected")).toBe(3);
});

test("a code can be asked for when none is shown, and not while one is", () => {
  expect(canAskForCode("timed_out")).toBe(true);
  expect(canAskForCode("logged_out")).toBe(true);
  expect(canAskForCode("scan")).toBe(false);
  expect(canAskForCode("stopped")).toBe(false);
});

test("seconds and groups", () => {
  expect(secondsLeft(SOON, NOW)).toBe(20);
  expect(secondsLeft(BEFORE, NOW)).toBe(0);
  expect(secondsLeft(undefined, NOW)).toBe(0);
  expect(inGroups("ABCD1234")).toBe("ABCD-1234");
});
