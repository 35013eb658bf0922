import { KINDS, type AttentionKind } from "./attention";
import type { Row } from "./rows";

/** What the list can be sorted by. */
export const COLUMNS = ["name", "status", "worker", "memory", "cpu", "restarts"] as const;

export type Column = (typeof COLUMNS)[number];

export const STATUSES = [
  "NEW",
  "QR_PENDING",
  "ACTIVE",
  "PAUSED",
  "ERROR",
] as const satisfies readonly Row["status"][];

export const WORKERS = [
  "RUNNING",
  "STARTING",
  "STOPPING",
  "BACKOFF",
  "ERROR",
  "STOPPED",
] as const satisfies readonly Row["worker"][];

export const SESSIONS = [
  "CONNECTED",
  "QR_READY",
  "DISCONNECTED",
  "LOGGED_OUT",
] as const satisfies readonly Row["session"][];

export const HEARTBEATS = [
  "on_time",
  "late",
  "stale",
  "none",
] as const satisfies readonly Row["heartbeat"][];

/** Which rows are wanted, and in which order. */
export interface Choice {
  text: string;
  status?: Row["status"] | undefined;
  worker?: Row["worker"] | undefined;
  session?: Row["session"] | undefined;
  heartbeat?: Row["heartbeat"] | undefined;
  /** A kind of trouble, or any. */
  attention?: AttentionKind | "any" | undefined;
  sort: Column;
  /** The other way round. */
  reverse: boolean;
}

const known = <T extends string>(value: string | null, all: readonly T[]): T | undefined =>
  all.find((it) => it === value);

/** The choice that an address keeps; what it does not know is left out. */
export function choiceOf(query: URLSearchParams): Choice {
  return {
    text: query.get("q") ?? "",
    status: known(query.get("status"), STATUSES),
    worker: known(query.get("worker"), WORKERS),
    session: known(query.get("session"), SESSIONS),
    heartbeat: known(query.get("heartbeat"), HEARTBEATS),
    attention: known(query.get("attention"), [...KINDS, "any"]),
    sort: known(query.get("sort"), COLUMNS) ?? "name",
    reverse: query.get("order") === "reverse",
  };
}

/** The filters by the name that they have in the address. */
export const FILTERS = ["status", "attention", "worker", "session", "heartbeat"] as const;

/** What the address keeps when everything is listed. */
export const NOTHING: Readonly<Record<string, undefined>> = Object.fromEntries(
  ["q", ...FILTERS].map((name) => [name, undefined]),
);

/** How many filters are set, the text apart. */
export const filtersSet = (choice: Choice): number =>
  FILTERS.filter((name) => choice[name] !== undefined).length;

/** Columns of figures begin with the largest, for that is what is looked for. */
const LARGEST_FIRST: readonly Column[] = ["memory", "cpu", "restarts"];

/** Whether what stands first is the largest (of words: the last of the alphabet). */
export const isDescending = ({ sort, reverse }: Choice): boolean =>
  LARGEST_FIRST.includes(sort) !== reverse;
