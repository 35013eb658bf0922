import type { Schemas } from "../api/client";
import type { Key } from "../i18n/language.svelte";
import type { Tone } from "../ui/Badge.svelte";

/** What helps, if something does: one button. */
export type Remedy = "connect" | "start" | "restart" | "reconnect";

/** The answer to "Is my bot working?". */
export interface Answer {
  tone: Tone;
  /** Yes, no, or not for the moment. */
  word: Key;
  /** The sentence after it. */
  sentence: Key;
  remedy?: Remedy;
  /** When the bot tries again by itself. */
  retryAt?: string;
}

/** What is known of a tenant's bot. */
type Status = Pick<Schemas["StatusView"], "worker" | "session">;

const yes = (sentence: Key): Answer => ({ tone: "good", word: "portal.yes", sentence });

const no = (sentence: Key, remedy?: Remedy): Answer => ({
  tone: "bad",
  word: "portal.no",
  sentence,
  ...(remedy === undefined ? {} : { remedy }),
});

/** It will be well by itself, in seconds as a rule. */
const soon = (sentence: Key): Answer => ({ tone: "info", word: "portal.notYet", sentence });

/** Whether the bot works, in one sentence, and what to do if it does not. */
export function answer({ worker, session }: Status): Answer {
  const after = session.retry_at ? { retryAt: session.retry_at } : {};
  switch (worker.status) {
    case "STOPPED":
      return { ...no("portal.is.off", "start"), tone: "calm" };
    case "STOPPING":
      return { ...soon("portal.is.stopping"), tone: "calm" };
    case "STARTING":
      return soon("portal.is.starting");
    case "BACKOFF":
      return no("portal.is.fallingOver", "restart");
    case "ERROR":
      return { ...inTrouble(session), ...after };
    case "RUNNING":
      return { ...running(worker, session), ...after };
  }
}

function inTrouble(session: Status["session"]): Answer {
  switch (session.trouble?.kind) {
    case "unreachable":
      return no("portal.is.unreachable", "reconnect");
    case "banned":
    case "banned_for_now":
    case "outdated":
    case "refused":
    case "deaf":
    case "storage":
      return no(`portal.is.${session.trouble.kind}`);
    case undefined:
      return no("portal.is.failed", "restart");
  }
}

function running(worker: Status["worker"], session: Status["session"]): Answer {
  switch (session.state) {
    case "CONNECTED":
      return yes("portal.is.connected");
    case "LOGGED_OUT":
      return no("portal.is.loggedOut", "connect");
    case "QR_READY":
      return no("portal.is.waiting", "connect");
    case "DISCONNECTED":
      // A program of the tenant's own says nothing of its session.
      if (!session.detail && !session.pairing && !session.paired) {
        return worker.health ? soon("portal.is.starting") : yes("portal.is.running");
      }
      return session.paired ? soon("portal.is.reconnecting") : no("portal.is.waiting", "connect");
  }
}

/** When the viewer's day began, in milliseconds since 1970. */
export function midnightBefore(now: number): number {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}
