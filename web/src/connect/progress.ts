import type { Schemas } from "../api/client";

/**
 * How far connecting WhatsApp has come, as the page shows it.
 *
 * - `stopped`, `stopping`: the bot does not run, and gives no codes.
 * - `absent`: whoever looks may not see the bot's process; it has said nothing yet, and may not run.
 * - `starting`: it will have a code, or be connected, soon.
 * - `failed`: its process cannot be kept running.
 * - `own_program`: the tenant runs a program of its own, which is connected by its own means.
 * - `scan`, `next_code`: a code waits to be scanned; the next one is about to come.
 * - `code_requested`, `code`, `code_expired`: the same for a code that is typed into the phone.
 * - `timed_out`, `cancelled`, `refused`, `passkey_needed`: no code is shown until somebody asks for one.
 * - `reconnecting`: there is a login, and the connection is being made.
 * - `trouble`: WhatsApp does not let it in, or not for long.
 */
export type Step =
  | "stopped"
  | "stopping"
  | "absent"
  | "starting"
  | "failed"
  | "own_program"
  | "scan"
  | "next_code"
  | "code_requested"
  | "code"
  | "code_expired"
  | "timed_out"
  | "cancelled"
  | "refused"
  | "passkey_needed"
  | "reconnecting"
  | "trouble"
  | "logged_out"
  | "connected";

/** What is known. */
export interface Known {
  /** The worker; absent where the caller may not see it. */
  worker?: Schemas["WorkerView"] | undefined;
  session: Schemas["SessionView"];
  /** The code that waits; absent where the caller may not see it. */
  qr?: Schemas["QrView"] | undefined;
}

/** The step that the page shows. `now` is in milliseconds since 1970. */
export function progress({ worker, session, qr }: Known, now: number): Step {
  if (worker?.status === "STOPPED") return "stopped";
  if (worker?.status === "STOPPING") return "stopping";
  if (session.state === "CONNECTED") return "connected";
  if (session.trouble) return "trouble";
  if (worker?.status === "ERROR" || worker?.status === "BACKOFF") return "failed";
  if (session.state === "LOGGED_OUT") return "logged_out";
  return pairing(session, now) ?? waiting(session, qr, now) ?? quiet(worker, session);
}

/** What the pairing itself says, where that is more than that QR codes are shown. */
function pairing(session: Known["session"], now: number): Step | undefined {
  switch (session.pairing) {
    case "timed_out":
    case "cancelled":
    case "refused":
    case "passkey_needed":
    case "code_requested":
      return session.pairing;
    case "code":
      return isAhead(session.pairing_code?.expires_at, now) ? "code" : "code_expired";
    default:
      return undefined;
  }
}

function waiting(session: Known["session"], qr: Known["qr"], now: number): Step | undefined {
  if (qr?.code && isAhead(qr.expires_at, now)) return "scan";
  return session.state === "QR_READY" ? "next_code" : undefined;
}

/** Nothing is shown: what is it busy with? */
function quiet(worker: Known["worker"], session: Known["session"]): Step {
  const silent = !session.detail && !session.pairing;
  if (worker === undefined) return silent ? "absent" : session.paired ? "reconnecting" : "starting";
  if (worker.status === "RUNNING" && silent && !session.paired) return "own_program";
  return session.paired ? "reconnecting" : "starting";
}

function isAhead(at: string | null | undefined, now: number): boolean {
  return at !== null && at !== undefined && new Date(at).getTime() > now;
}

/** Which of the three steps is under way, from 1 to 3; 3 is done when the bot is connected. */
export function stage(step: Step): 1 | 2 | 3 {
  switch (step) {
    case "scan":
    case "next_code":
    case "code_requested":
    case "code":
    case "code_expired":
    case "timed_out":
    case "cancelled":
    case "refused":
    case "passkey_needed":
      return 2;
    case "connected":
    case "reconnecting":
      return 3;
    default:
      return 1;
  }
}

/** Whether another code can be asked for by `POST …/session/qr`. */
export function canAskForCode(step: Step): boolean {
  return [
    "timed_out",
    "cancelled",
    "refused",
    "passkey_needed",
    "code_expired",
    "logged_out",
  ].includes(step);
}

/** The whole seconds until a code is void; 0 when it is. */
export function secondsLeft(at: string | null | undefined, now: number): number {
  if (at === null || at === undefined) return 0;
  return Math.max(0, Math.ceil((new Date(at).getTime() - now) / 1000));
}

/** A pairing code as the phone asks for it: two groups of four. */
export const inGroups = (code: string): string =>
  code.length === 8 ? `${code.slice(0, 4)}-${code.slice(4)}` : code;
