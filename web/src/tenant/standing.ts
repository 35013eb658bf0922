import type { Schemas } from "../api/client";
import type { Key } from "../i18n/language.svelte";
import type { Tone } from "../ui/Badge.svelte";

/** How a tenant stands, in a sentence, and what can be done about it. */
export interface Standing {
  tone: Tone;
  /** The sentence. */
  says: Key;
  /** What the server or the worker says of it, in its own words. */
  detail?: string;
  /** What to do next. */
  remedy?: Key;
  /** The part of the page where that is done. */
  at?: "connect" | "logs";
  /** When it goes on by itself. */
  retryAt?: string;
}

type Status = Pick<Schemas["StatusView"], "worker" | "session">;

const detailed = (detail: string | null | undefined): { detail?: string } =>
  detail === null || detail === undefined || detail === "" ? {} : { detail };

const retried = (at: string | null | undefined): { retryAt?: string } =>
  at === null || at === undefined ? {} : { retryAt: at };

/** How a tenant stands. `reports`: whether its program tells of a session at all. */
export function standing({ worker, session }: Status, reports: boolean): Standing {
  switch (worker.status) {
    case "STOPPED":
      return { tone: "calm", says: "tenant.stands.stopped", remedy: "tenant.remedy.start" };
    case "STARTING":
      return { tone: "info", says: "tenant.stands.starting" };
    case "STOPPING":
      return { tone: "info", says: "tenant.stands.stopping" };
    case "BACKOFF":
      return {
        tone: "warn",
        says: "tenant.stands.backoff",
        ...detailed(worker.last_error),
        remedy: "tenant.remedy.logs",
        at: "logs",
      };
    case "ERROR":
      return { tone: "bad", ...failed(worker, session) };
    case "RUNNING":
      return reports ? running(session) : { tone: "good", says: "tenant.stands.running" };
  }
}

function failed(worker: Status["worker"], session: Status["session"]): Omit<Standing, "tone"> {
  if (session.trouble && worker.pid) {
    return {
      says: `tenant.trouble.${session.trouble.kind}`,
      ...detailed(session.trouble.detail),
      ...retried(session.retry_at),
    };
  }
  return {
    says: "tenant.stands.failed",
    ...detailed(worker.last_error),
    remedy: "tenant.remedy.logs",
    at: "logs",
  };
}

function running(session: Status["session"]): Standing {
  if (session.trouble) {
    const { kind, detail } = session.trouble;
    return {
      tone: "bad",
      says: `tenant.trouble.${kind}`,
      ...detailed(detail),
      ...retried(session.retry_at),
    };
  }
  switch (session.state) {
    case "CONNECTED":
      return { tone: "good", says: "tenant.stands.connected" };
    case "QR_READY":
      return {
        tone: "info",
        says: "tenant.stands.pairing",
        remedy: "tenant.remedy.pair",
        at: "connect",
      };
    case "LOGGED_OUT":
      return {
        tone: "warn",
        says: "tenant.stands.loggedOut",
        ...detailed(session.detail),
        remedy: "tenant.remedy.pair",
        at: "connect",
      };
    case "DISCONNECTED": {
      const offers = !session.paired && Boolean(session.pairing);
      return {
        tone: "warn",
        says: offers ? "tenant.stands.unpaired" : "tenant.stands.disconnected",
        ...detailed(session.detail),
        ...(offers ? { remedy: "tenant.remedy.pair" as const, at: "connect" as const } : {}),
        ...retried(session.retry_at),
      };
    }
  }
}

/** What can be done with a worker. */
export type Action = "start" | "stop" | "restart" | "force-restart";

/** What makes sense to be done with a worker as it is. */
export function actions(worker: Schemas["WorkerView"]): Action[] {
  switch (worker.status) {
    case "STOPPED":
      return ["start"];
    case "STARTING":
    case "STOPPING":
      return ["stop", "force-restart"];
    case "BACKOFF":
      return ["restart", "stop"];
    case "ERROR":
    case "RUNNING":
      return ["restart", "stop", "force-restart"];
  }
}
