import { isNeedy } from "./attention";
import { isDescending, type Choice, type Column } from "./choice";
import type { Row } from "./rows";

/** Letters as they are compared: without case and accents. */
const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

/** What a row can be found by. */
const wordsOf = ({ name, slug, phone }: Row): string => `${plain(name)}\n${slug}\n${phone ?? ""}`;

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

/** A row with what the listing knows of it. */
interface Entry {
  row: Row;
  /** What it can be found by; made when somebody looks for something. */
  words: string | undefined;
  /** Its place among all names. */
  place: number;
  /** The place that it had in the last list, or none. */
  last: number;
  /** What it is sorted by now. */
  figure: number;
}

/**
 * Lists rows. It remembers the order of the names, which takes long to find, and the order that it gave last: rows that
 * are nearly in order are put in order in no time, and of ten thousand few change in a second.
 */
export class Listing {
  readonly #entries = new Map<string, Entry>();
  readonly #collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  /** What the last list was sorted by, and how long it was. */
  #by = "";
  #length = 0;

  /**
   * The rows that a choice names, in its order. Equal ones stand by their names. With `hold` they keep the order of the
   * last list, whatever has changed: no row moves away under a hand.
   */
  list(rows: ReadonlyMap<string, Row>, choice: Choice, hold = false): Row[] {
    this.#learn(rows);
    const found = this.#matching(choice);
    const by = `${choice.sort} ${choice.reverse}`;
    const ordered = by === this.#by ? this.#asLast(found) : found;
    if (!hold || by !== this.#by) this.#sort(ordered, choice);
    for (const entry of this.#entries.values()) entry.last = -1;
    for (const [place, entry] of ordered.entries()) entry.last = place;
    this.#by = by;
    this.#length = ordered.length;
    return ordered.map(({ row }) => row);
  }

  #sort(ordered: Entry[], choice: Choice): void {
    const turn = isDescending(choice) ? -1 : 1;
    if (choice.sort === "name") {
      ordered.sort((one, other) => turn * (one.place - other.place));
    } else {
      const figure = FIGURES[choice.sort];
      for (const entry of ordered) entry.figure = figure(entry.row);
      ordered.sort((one, other) => turn * (one.figure - other.figure) || one.place - other.place);
    }
  }

  #matching(choice: Choice): Entry[] {
    const looked = wanted(choice.text);
    const found: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (!isWanted(entry.row, choice)) continue;
      if (looked.length > 0) {
        const words = (entry.words ??= wordsOf(entry.row));
        if (!looked.every((word) => words.includes(word))) continue;
      }
      found.push(entry);
    }
    return found;
  }

  /** Entries as they stood last, new ones at the end. */
  #asLast(entries: readonly Entry[]): Entry[] {
    const kept = new Array<Entry | undefined>(this.#length).fill(undefined);
    const fresh: Entry[] = [];
    for (const entry of entries) {
      if (entry.last < 0) fresh.push(entry);
      else kept[entry.last] = entry;
    }
    return [...kept.filter((entry) => entry !== undefined), ...fresh];
  }

  /** Takes in the rows as they are now. */
  #learn(rows: ReadonlyMap<string, Row>): void {
    let isNamedAnew = false;
    for (const [id, row] of rows) {
      const entry = this.#entries.get(id);
      if (entry === undefined) {
        this.#entries.set(id, { row, words: undefined, place: Infinity, last: -1, figure: 0 });
        isNamedAnew = true;
      } else if (entry.row !== row) {
        const { name, slug, phone } = entry.row;
        if (name !== row.name) isNamedAnew = true;
        if (name !== row.name || slug !== row.slug || phone !== row.phone) entry.words = undefined;
        entry.row = row;
      }
    }
    if (this.#entries.size > rows.size) {
      for (const id of this.#entries.keys()) if (!rows.has(id)) this.#entries.delete(id);
    }
    if (isNamedAnew) this.#orderNames();
  }

  #orderNames(): void {
    const all = [...this.#entries.values()];
    // New ones are at the end of a map, and infinitely far.
    all.sort((one, other) => (one.place === other.place ? 0 : one.place - other.place));
    all.sort(
      (one, other) =>
        this.#collator.compare(one.row.name, other.row.name) ||
        (one.row.id < other.row.id ? -1 : 1),
    );
    for (const [place, entry] of all.entries()) entry.place = place;
  }
}
