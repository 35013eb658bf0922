import type { Schemas } from "../api/client";
import type { Tone } from "../ui/Badge.svelte";
import type { Row } from "./rows";

export type AttentionKind = Schemas["AttentionKind"];

/** A row that needs attention. */
export type NeedyRow = Row & { attention: Schemas["Attention"] };

/** All kinds, the most urgent first. */
export const KINDS = [
  "stale",
  "restart_loop",
  "failed",
  "trouble",
  "logged_out",
  "qr_waiting",
  "limit_hit",
] as const satisfies readonly AttentionKind[];

const URGENCY = Object.fromEntries(KINDS.map((kind, rank) => [kind, rank])) as Record<
  AttentionKind,
  number
>;

/** What mends it. `restart` acts at once; the others lead to a page. */
export type Remedy = "restart" | "connect" | "limits" | "look";

const REMEDIES: Record<AttentionKind, Remedy> = {
  stale: "restart",
  restart_loop: "restart",
  failed: "restart",
  trouble: "look",
  logged_out: "connect",
  qr_waiting: "connect",
  limit_hit: "limits",
};

/** What mends a kind of trouble. */
export const remedy = (kind: AttentionKind): Remedy => REMEDIES[kind];

/** The colour of a kind of trouble. */
export const KIND_TONES: Record<AttentionKind, Tone> = {
  stale: "bad",
  restart_loop: "bad",
  failed: "bad",
  trouble: "bad",
  logged_out: "warn",
  qr_waiting: "info",
  limit_hit: "warn",
};

/** Whether a row needs attention. */
export const isNeedy = (row: Row): row is NeedyRow =>
  row.attention !== undefined && row.attention !== null;

const sinceOf = ({ attention }: NeedyRow): number =>
  attention.since === undefined || attention.since === null
    ? Infinity
    : new Date(attention.since).getTime();

/** The rows that need attention: the most urgent first, then those that have waited longest. */
export function needy(rows: Iterable<Row>): NeedyRow[] {
  const found: NeedyRow[] = [];
  for (const row of rows) if (isNeedy(row)) found.push(row);
  return found.sort(
    (one, other) =>
      URGENCY[one.attention.kind] - URGENCY[other.attention.kind] ||
      compare(sinceOf(one), sinceOf(other)) ||
      compare(one.name, other.name),
  );
}

const compare = <T extends number | string>(one: T, other: T): number =>
  one < other ? -1 : one > other ? 1 : 0;

/** One place of the queue: its row now, which is `well` when it needs nothing any more. */
export interface Place {
  row: Row;
  well: boolean;
}

/** How long a row stays after it needs nothing any more, in milliseconds. */
const STAYS_MS = 10_000;

/**
 * What the queue shows, over time. A row that needs nothing any more stays in its place for a while: what dies again and
 * again would come and go all the time, and whoever mended it sees that it helped. While somebody is about to click
 * (`held` names what stands there) every row keeps its place: no button moves under the hand.
 */
export class Queue {
  #order: readonly string[] = [];
  /** Rows that need nothing any more, with the moment since when. */
  readonly #well = new Map<string, number>();

  /** The places at a moment (in milliseconds), at most so many unless more are held. */
  places(
    rows: ReadonlyMap<string, Row>,
    needing: readonly NeedyRow[],
    most: number,
    now: number,
    held?: readonly string[],
  ): Place[] {
    const ids = new Set(needing.map(({ id }) => id));
    for (const id of this.#order) {
      if (!ids.has(id) && rows.has(id) && !this.#well.has(id)) this.#well.set(id, now);
    }
    for (const [id, since] of this.#well) {
      const kept = held?.includes(id) ?? false;
      const over = !kept && now - since >= STAYS_MS;
      if (ids.has(id) || !rows.has(id) || over) this.#well.delete(id);
    }
    const order = held === undefined ? this.#fresh(needing) : held.filter((id) => rows.has(id));
    const known = new Set(order);
    const all = [...order, ...needing.map(({ id }) => id).filter((id) => !known.has(id))];
    this.#order = all.slice(0, Math.max(most, held === undefined ? 0 : order.length));
    return this.#order.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : [{ row, well: !isNeedy(row) }];
    });
  }

  /** Those in need in their order, with those that are well where they stood. */
  #fresh(needing: readonly NeedyRow[]): string[] {
    const order = needing.map(({ id }) => id);
    for (const [place, id] of this.#order.entries()) {
      if (this.#well.has(id)) order.splice(Math.min(place, order.length), 0, id);
    }
    return order;
  }
}

/** How many rows there are of each kind, the most urgent kind first; kinds without any are left out. */
export function byKind(needing: readonly NeedyRow[]): { kind: AttentionKind; n: number }[] {
  const counts = new Map<AttentionKind, number>();
  for (const { attention } of needing) {
    counts.set(attention.kind, (counts.get(attention.kind) ?? 0) + 1);
  }
  return KINDS.flatMap((kind) => {
    const n = counts.get(kind);
    return n === undefined ? [] : [{ kind, n }];
  });
}
