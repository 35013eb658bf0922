import { answered, api, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { pause } from "../live/backoff";
import { EventStream, type Message } from "../live/stream.svelte";
import { whenPersonChanges } from "../session/person";
import { rowsOf, take, type Changes, type Rows } from "./rows";
import { isGap, withNewest, type Sample } from "./samples";

/** The fleet's numbers, without their history. */
export type Numbers = Omit<Schemas["FleetView"], "history">;

/** How long it goes on after the last page that needed it, in milliseconds: from one page to the next it need not stop. */
const LINGERS_MS = 5000;

let rows: Rows = new Map();
/** Grows with each change of the rows, which are no state themselves: ten thousand signals would be of no use. */
let version = $state.raw(0);
let numbers = $state.raw<Numbers>();
let samples = $state.raw<readonly Sample[]>([]);
let stream = $state.raw<EventStream>();
let problem = $state.raw<Problem>();
let loaded = $state.raw(false);

/** Pages that need it. */
let needed = 0;
let lingering: ReturnType<typeof setTimeout> | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
/** Which loading is of now; an answer to an older one is of no use. */
let turn = 0;
/** The loading that is under way. */
let loading: number | undefined;

whenPersonChanges(leave);

/** Everything that pages look at of the fleet. */
export const fleet = {
  /** Every tenant's row; whoever reads it is told of each change. */
  get rows(): Rows {
    void version;
    return rows;
  },
  /** The numbers, once they are known. */
  get numbers(): Numbers | undefined {
    return numbers;
  },
  /** The last hour, oldest first. */
  get samples(): readonly Sample[] {
    return samples;
  },
  /** What keeps it live. */
  get stream(): EventStream | undefined {
    return stream;
  },
  /** Why it could not be loaded. */
  get problem(): Problem | undefined {
    return problem;
  },
  /** Whether the rows are there. */
  get loaded(): boolean {
    return loaded;
  },
  /** Loads it now, after a failure. */
  retry(): void {
    failures = 0;
    void load();
  },
};

/** Keeps the fleet loaded and live until what it returns is called. For `onMount`. */
export function followFleet(): () => void {
  needed += 1;
  clearTimeout(lingering);
  const isComing = loading === turn;
  if ((!loaded && !isComing) || stream?.state === "ended") void load();
  return () => {
    needed -= 1;
    if (needed === 0) lingering = setTimeout(leave, LINGERS_MS);
  };
}

function cut(): void {
  stream?.close();
  stream = undefined;
}

/** Forgets everything: nobody looks, and what is kept would be old when somebody does. */
function leave(): void {
  turn += 1;
  failures = 0;
  clearTimeout(again);
  cut();
  rows = new Map();
  numbers = undefined;
  samples = [];
  loaded = false;
  problem = undefined;
  version += 1;
}

async function load(): Promise<void> {
  clearTimeout(again);
  cut();
  const mine = ++turn;
  loading = mine;
  void loadNumbers();
  try {
    const { items, cursor } = await answered(api.GET("/admin/fleet/tenants"));
    if (mine !== turn) return;
    rows = rowsOf(items);
    loaded = true;
    problem = undefined;
    version += 1;
    const url = `/admin/fleet/stream?after=${encodeURIComponent(cursor)}`;
    stream = new EventStream({ url: () => url, resume: true, onMessage });
  } catch (error) {
    if (mine !== turn) return;
    problem = asProblem(error);
    tryAgain();
  } finally {
    if (loading === mine) loading = undefined;
  }
}

/** Loads anew after a while, longer each time: the server may have just begun a new life, with everybody coming back. */
function tryAgain(): void {
  failures += 1;
  clearTimeout(again);
  again = setTimeout(() => void load(), pause(failures, Math.random()));
}

async function loadNumbers(): Promise<void> {
  const mine = turn;
  try {
    const { history, ...view } = await answered(api.GET("/admin/fleet"));
    if (mine !== turn) return;
    numbers = view;
    samples = history ?? [];
  } catch {
    // The rows say what is wrong; the numbers come with the stream.
  }
}

function onMessage({ event, data }: Message): void {
  if (event === "reset") {
    // A stream of its own begins where the rows that are fetched end.
    cut();
    turn += 1;
    tryAgain();
  } else if (event === "rows") {
    failures = 0;
    take(rows, JSON.parse(data) as Changes);
    version += 1;
  } else if (event === "fleet") {
    failures = 0;
    numbers = JSON.parse(data) as Numbers;
    learn(numbers.newest);
  }
}

function learn(newest: Sample | null | undefined): void {
  if (newest === undefined || newest === null) return;
  if (isGap(samples, newest)) void loadNumbers();
  else samples = withNewest(samples, newest);
}
