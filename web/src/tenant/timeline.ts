import type { Schemas } from "../api/client";

/** How a bot was for a while. */
export type Phase =
  | "connected"
  | "running"
  | "waiting"
  | "pairing"
  | "loggedOut"
  | "stale"
  | "failed"
  | "stopped"
  | "unknown";

/** A while in which nothing changed; moments in milliseconds since 1970. */
export interface Span {
  phase: Phase;
  from: number;
  to: number;
}

/** The kinds of event that say how a bot is. */
export const KINDS = [
  "worker.*",
  "session.connected",
  "session.disconnected",
  "session.logged_out",
  "session.qr_ready",
  "session.reset",
].join(",");

type Event = Pick<Schemas["EventView"], "kind" | "at">;

/** What is known at a moment. A process that is not up has no session that counts. */
interface Known {
  worker: "up" | "stale" | "failed" | "stopped" | "unknown";
  session: "connected" | "waiting" | "pairing" | "loggedOut" | "unknown";
}

const WORKER: Readonly<Record<string, Partial<Known>>> = {
  "worker.started": { worker: "up", session: "waiting" },
  "worker.restarted": { worker: "up", session: "waiting" },
  "worker.stopped": { worker: "stopped" },
  "worker.died": { worker: "failed", session: "waiting" },
  "worker.failed": { worker: "failed" },
  "worker.start_failed": { worker: "failed" },
  "worker.stale": { worker: "stale" },
  "worker.stale_again": { worker: "stale" },
  "worker.recovered": { worker: "up" },
  "session.connected": { worker: "up", session: "connected" },
  "session.disconnected": { session: "waiting" },
  "session.logged_out": { session: "loggedOut" },
  "session.qr_ready": { worker: "up", session: "pairing" },
  "session.reset": { session: "waiting" },
};

/** `reports`: whether the program tells of a session at all. */
function phase({ worker, session }: Known, reports: boolean): Phase {
  if (worker !== "up") return worker;
  if (!reports) return "running";
  return session === "unknown" ? "running" : session;
}

/**
 * How a bot was between two moments, told from its events (oldest first). Before the first event nothing is known, but
 * for a log without any: then it was all the time as it is `now`.
 */
export function spans(
  events: readonly Event[],
  now: Phase,
  { from, to, reports }: { from: number; to: number; reports: boolean },
): Span[] {
  const known: Known = { worker: "unknown", session: "unknown" };
  const found: Span[] = [];
  let began = from;
  let current: Phase = events.length === 0 ? now : "unknown";
  for (const { kind, at } of events) {
    const change = WORKER[kind];
    if (change === undefined) continue;
    Object.assign(known, change);
    const next = phase(known, reports);
    const moment = Math.max(from, Math.min(to, new Date(at).getTime()));
    if (next === current) continue;
    if (moment > began) found.push({ phase: current, from: began, to: moment });
    [current, began] = [next, Math.max(began, moment)];
  }
  if (to > began) found.push({ phase: current, from: began, to });
  return joined(found);
}

/** Neighbours of the same phase become one: what was between them took no time. */
function joined(found: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of found) {
    const last = all.at(-1);
    if (last?.phase === span.phase) last.to = span.to;
    else all.push({ ...span });
  }
  return all;
}

/** For how much of the time that is known about the bot was well, from 0 to 1; `undefined` when nothing is known. */
export function wellFor(found: readonly Span[], reports: boolean): number | undefined {
  const total = (phases: (phase: Phase) => boolean) =>
    found.filter(({ phase }) => phases(phase)).reduce((sum, { from, to }) => sum + to - from, 0);
  const known = total((phase) => phase !== "unknown");
  const well: Phase = reports ? "connected" : "running";
  return known === 0 ? undefined : total((phase) => phase === well) / known;
}

/** The phase that a status says. */
export function phaseNow(
  { worker, session }: Pick<Schemas["StatusView"], "worker" | "session">,
  reports: boolean,
): Phase {
  switch (worker.status) {
    case "STOPPED":
    case "STOPPING":
      return "stopped";
    case "BACKOFF":
      return "failed";
    case "ERROR":
      return worker.pid ? "stale" : "failed";
    case "STARTING":
      return reports ? "waiting" : "running";
    case "RUNNING":
      if (!reports) return "running";
      return (
        {
          CONNECTED: "connected",
          QR_READY: "pairing",
          LOGGED_OUT: "loggedOut",
          DISCONNECTED: "waiting",
        } as const
      )[session.state];
  }
}

/** Full hours of the viewer's clock between two moments, every `step` of them, for the line below. */
export function hours(from: number, to: number, step: number): number[] {
  const first = new Date(from);
  first.setMinutes(0, 0, 0);
  first.setHours(Math.ceil((first.getHours() + (first.getTime() < from ? 1 : 0)) / step) * step);
  const found: number[] = [];
  for (let at = first.getTime(); at < to; at += step * 3_600_000) found.push(at);
  return found;
}
