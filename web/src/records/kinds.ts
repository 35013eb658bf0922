import type { Tone } from "../ui/Badge.svelte";

/** What of the events is asked for, by the name of a choice; none: all of them. */
export const GROUPS = {
  trouble:
    "worker.died,worker.failed,worker.start_failed,worker.stale,session.logged_out,session.unreachable," +
    "session.damaged,session.deaf,session.stuck,session.replaced,session.pairing_failed,store.*," +
    "message.failed,message.undecryptable,answer.failed,webhook.failed,chat.flooded,limit.hit,events.lost",
  messages: "message.*,answer.*,chat.*,contact.*,webhook.*",
  session: "session.*",
  worker: "worker.*,store.*",
  settings: "tenant.*,rules.*,pacing.*",
  people: "person.*",
} as const;

export type Group = keyof typeof GROUPS;

/** The choice that an address names; `undefined`: all. */
export const groupOf = (name: string | null): Group | undefined =>
  name !== null && Object.hasOwn(GROUPS, name) ? (name as Group) : undefined;

const TONES: Readonly<Record<string, Tone>> = {
  "worker.started": "good",
  "worker.recovered": "good",
  "session.connected": "good",
  "session.paired": "good",
  "session.restored": "good",
  "tenant.created": "good",
  "message.in": "info",
  "message.out": "info",
  "session.qr_ready": "info",
  "session.qr_issued": "info",
  "session.pairing_code_issued": "info",
  "worker.stale": "warn",
  "worker.stale_again": "warn",
  "worker.died": "warn",
  "worker.restarted": "warn",
  "worker.evicted": "warn",
  "session.logged_out": "warn",
  "session.stalled": "warn",
  "session.pairing_timed_out": "warn",
  "session.passkey_needed": "warn",
  "person.sign_in_failed": "warn",
  "limit.hit": "warn",
  "chat.flooded": "warn",
  "chat.handed_over": "warn",
  "contact.limited": "warn",
  "pacing.slowed": "warn",
  "message.undecryptable": "warn",
  "worker.failed": "bad",
  "worker.start_failed": "bad",
  "session.unreachable": "bad",
  "session.damaged": "bad",
  "session.deaf": "bad",
  "session.stuck": "bad",
  "session.replaced": "bad",
  "session.pairing_failed": "bad",
  "session.pairing_refused": "bad",
  "store.damaged": "bad",
  "store.failed": "bad",
  "message.failed": "bad",
  "answer.failed": "bad",
  "webhook.failed": "bad",
  "rules.refused": "bad",
  "events.lost": "bad",
};

/** The colour of a kind of event; calm where it asks for nobody's attention. */
export const toneOf = (kind: string): Tone => TONES[kind] ?? "calm";

/** A kind that there are no words for, as something that can be read: `store.re_keyed` becomes `store: re keyed`. */
export function spelled(kind: string): string {
  const [area = "", ...rest] = kind.split(".");
  const what = rest.join(" ").replaceAll("_", " ");
  return what === "" ? area : `${area}: ${what}`;
}

const MACHINE_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g;

/** A detail with its times written for people. */
export const withMoments = (detail: string, written: (at: string) => string): string =>
  detail.replace(MACHINE_TIME, (at) => (Number.isNaN(Date.parse(at)) ? at : written(at)));
