/** What of the audit log somebody wants to see. Empty texts: whatever it is. */
export interface AuditFilter {
  tenant: string;
  actor: string;
  area: Area | "any";
  result: string;
  period: Period;
  /** From when on and until when, as a field for a time gives it (in the reader's zone), with the period `own`. */
  since: string;
  until: string;
}

/** Actions that belong together, as the API takes them. */
export const AREAS = {
  tenants: "tenant.*",
  bots: "worker.*",
  sessions:
    "session.reset,session.reconnect,session.qr,session.pairing_code,session.pairing_cancel,pair_link.*",
  messages: "message.*,media.*",
  rules: "rules.*,pacing.*",
  people: "user.*,person.*",
  signIns: "session.sign_in,session.sign_out,session.sign_out_everywhere,session.end",
  keys: "key.*",
  system: "brand.*,backup.*",
} as const;

export type Area = keyof typeof AREAS;

const HOUR = 3_600_000;

/** How far back in milliseconds; none: without a bound, or bounds of one's own. */
export const PERIODS = {
  any: undefined,
  hour: HOUR,
  day: 24 * HOUR,
  week: 7 * 24 * HOUR,
  month: 30 * 24 * HOUR,
  own: undefined,
} as const;

export type Period = keyof typeof PERIODS;

export const EVERYTHING: AuditFilter = {
  tenant: "",
  actor: "",
  area: "any",
  result: "",
  period: "any",
  since: "",
  until: "",
};

/** Whether anything is filtered. */
export const filters = (filter: AuditFilter): boolean =>
  (Object.keys(EVERYTHING) as (keyof AuditFilter)[]).some((it) => filter[it] !== EVERYTHING[it]);

/** What the API is asked: all but the place in the list. */
export interface AuditQuery {
  tenant?: string;
  actor?: string;
  action?: string;
  result?: string;
  since?: string;
  until?: string;
}

/** The query for a filter at a time, in milliseconds since 1970. */
export function queryOf(filter: AuditFilter, now: number): AuditQuery {
  const query: AuditQuery = {};
  const actor = filter.actor.trim();
  if (filter.tenant !== "") query.tenant = filter.tenant;
  if (actor !== "") query.actor = actor;
  if (filter.area !== "any") query.action = AREAS[filter.area];
  if (filter.result !== "") query.result = filter.result;
  const back = PERIODS[filter.period];
  if (back !== undefined) query.since = new Date(now - back).toISOString();
  if (filter.period === "own") {
    const [since, until] = [moment(filter.since), moment(filter.until)];
    if (since !== undefined) query.since = since;
    if (until !== undefined) query.until = until;
  }
  return query;
}

function moment(written: string): string | undefined {
  const at = new Date(written);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** Where the entries can be downloaded. */
export function exportAddress(query: AuditQuery): string {
  const search = new URLSearchParams({ ...query }).toString();
  return `/admin/audit/export${search === "" ? "" : `?${search}`}`;
}

/** The filter that an address of the page holds. */
export function filterFrom(search: URLSearchParams): AuditFilter {
  const text = (name: string): string => search.get(name) ?? "";
  const [area, period] = [text("area"), text("period")];
  return {
    tenant: text("tenant"),
    actor: text("actor"),
    area: Object.hasOwn(AREAS, area) ? (area as Area) : "any",
    result: text("result"),
    period: Object.hasOwn(PERIODS, period) ? (period as Period) : "any",
    since: text("since"),
    until: text("until"),
  };
}

/** What the page's address holds of a filter; what is not filtered is not in it. */
export function addressOf(filter: AuditFilter): Record<keyof AuditFilter, string | undefined> {
  const kept = (name: keyof AuditFilter): string | undefined =>
    filter[name] === EVERYTHING[name] ? undefined : filter[name];
  return {
    tenant: kept("tenant"),
    actor: kept("actor"),
    area: kept("area"),
    result: kept("result"),
    period: kept("period"),
    since: filter.period === "own" ? kept("since") : undefined,
    until: filter.period === "own" ? kept("until") : undefined,
  };
}

/** Whether somebody can have written down such a fingerprint. */
export const isFingerprint = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
