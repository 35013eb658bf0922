import { isNeedy } from "./attention";
import { isDescending, type Choice, type Column } from "./choice";
import type { Row } from "./rows";

/** What a row can be found by, in small letters; made once a row, for rows are looked through at each letter. */
const words = new WeakMap<Row, string>();

/** Letters as they are compared: without case and accents. */
const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

function wordsOf(row: Row): string {
  let text = words.get(row);
  if (text === undefined) {
    text = `${plain(row.name)}\n${row.slug}\n${row.phone ?? ""}`;
    words.set(row, text);
  }
  return text;
}

/** What somebody looks for: words, all of which must be there. A number may be written in groups. */
function wanted(text: string): string[] {
  const trimmed = plain(text.trim());
  if (/^\+?[\d\s()-]+$/.test(trimmed)) return [trimmed.replace(/[\s()-]/g, "")];
  return trimmed.split(/\s+/).filter(Boolean);
}

function isWanted(row: Row, choice: Choice): boolean {
  const { status, worker, session, heartbeat, attention } = choice;
  return (
    (status === undefined || row.status === status) &&
    (worker === undefined || row.worker === worker) &&
    (session === undefined || row.session === session) &&
    (heartbeat === undefined || row.heartbeat === heartbeat) &&
    (attention === undefined ||
      (isNeedy(row) && (attention === "any" || row.attention.kind === attention)))
  );
}

/** The rows that a choice names, in no new order. */
export function matching(rows: Iterable<Row>, choice: Choice): Row[] {
  const looked = wanted(choice.text);
  const found: Row[] = [];
  for (const row of rows) {
    if (!isWanted(row, choice)) continue;
    if (looked.length > 0) {
      const text = wordsOf(row);
      if (!looked.every((word) => text.includes(word))) continue;
    }
    found.push(row);
  }
  return found;
}

/** Statuses in the order in which they want to be looked at. */
const STATUS_RANK: Record<Row["status"], number> = {
  ERROR: 0,
  QR_PENDING: 1,
  NEW: 2,
  PAUSED: 3,
  ACTIVE: 4,
};

const WORKER_RANK: Record<Row["worker"], number> = {
  ERROR: 0,
  BACKOFF: 1,
  STARTING: 2,
  STOPPING: 3,
  RUNNING: 4,
  STOPPED: 5,
};

type Figure = (row: Row) => number;

const FIGURES: Record<Exclude<Column, "name">, Figure> = {
  status: ({ status }) => STATUS_RANK[status],
  worker: ({ worker }) => WORKER_RANK[worker],
  memory: ({ memory_bytes }) => memory_bytes ?? -1,
  cpu: ({ cpu_percent }) => cpu_percent ?? -1,
  restarts: ({ restarts }) => restarts,
};

/**
 * Lists rows. It remembers the order of the names, and the order that it gave last: rows that are nearly in order
 * are put in order in no time, and of ten thousand few change in a second.
 */
export class Listing {
  /** The place of each tenant among all names. */
  readonly #places = new Map<string, { name: string; place: number }>();
  readonly #collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  #last: { order: Map<string, number>; by: string } = { order: new Map(), by: "" };

  /** The rows that a choice names, in its order. Equal ones stand by their names. */
  list(rows: ReadonlyMap<string, Row>, choice: Choice): Row[] {
    this.#learnNames(rows);
    const found = matching(rows.values(), choice);
    const by = `${choice.sort} ${choice.reverse}`;
    if (by === this.#last.by) this.#asLast(found);
    found.sort(this.#order(choice));
    this.#last = { order: new Map(found.map(({ id }, place) => [id, place])), by };
    return found;
  }

  #order(choice: Choice): (one: Row, other: Row) => number {
    const place = (row: Row): number => this.#places.get(row.id)?.place ?? 0;
    const turn = isDescending(choice) ? -1 : 1;
    if (choice.sort === "name") return (one, other) => turn * (place(one) - place(other));
    const figure = FIGURES[choice.sort];
    return (one, other) => turn * (figure(one) - figure(other)) || place(one) - place(other);
  }

  /** Puts rows as they stood last, new ones at the end. */
  #asLast(rows: Row[]): void {
    const { order } = this.#last;
    const kept: (Row | undefined)[] = [];
    const fresh: Row[] = [];
    for (const row of rows) {
      const place = order.get(row.id);
      if (place === undefined) fresh.push(row);
      else kept[place] = row;
    }
    let to = 0;
    for (const row of kept) if (row !== undefined) rows[to++] = row;
    for (const row of fresh) rows[to++] = row;
  }

  /** Names are compared as the language does, which takes long: only when one is new. */
  #learnNames(rows: ReadonlyMap<string, Row>): void {
    let same = this.#places.size === rows.size;
    for (const { id, name } of rows.values()) {
      if (!same) break;
      same = this.#places.get(id)?.name === name;
    }
    if (same) return;
    const before = this.#places;
    const named = [...rows.values()].map(({ id, name }) => ({ id, name, was: before.get(id) }));
    named.sort((one, other) => (one.was?.place ?? Infinity) - (other.was?.place ?? Infinity) || 0);
    named.sort(
      (one, other) => this.#collator.compare(one.name, other.name) || (one.id < other.id ? -1 : 1),
    );
    before.clear();
    for (const [place, { id, name }] of named.entries()) before.set(id, { name, place });
  }
}
