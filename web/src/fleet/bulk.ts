import { Problem } from "../api/problem";
import { pause } from "../live/backoff";
import type { Row } from "./rows";

/** What can be done to many workers at once. */
export type BulkAction = "start" | "stop" | "restart";

/**
 * Requests under way at the same time. Each waits until its worker is there, and a browser gives a host six connections,
 * of which streams hold up to three: what somebody clicks on meanwhile needs one too.
 */
export const AT_ONCE = 2;

/** How often one tenant is tried while the server says "too many". */
const TRIES = 8;

/** The longest pause, in milliseconds, whatever the server says. */
const LONGEST_MS = 60_000;

/** Who is acted on, and who is left alone because it is so already. */
export interface Plan {
  targets: Row[];
  skipped: number;
}

const MATTERS: Record<BulkAction, (row: Row) => boolean> = {
  start: ({ worker }) => worker !== "RUNNING" && worker !== "STARTING",
  stop: ({ worker, desired }) => worker !== "STOPPED" || desired !== "STOPPED",
  // What is stopped stays stopped: whoever wants it to run starts it.
  restart: ({ desired }) => desired === "RUNNING",
};

/** What an action means for rows as they stand. */
export function plan(action: BulkAction, rows: readonly Row[]): Plan {
  const targets = rows.filter(MATTERS[action]);
  return { targets, skipped: rows.length - targets.length };
}

/** A tenant that it did not work for. */
export interface Failure {
  id: string;
  name: string;
  problem: Problem;
}

/** How far it is. */
export interface Progress {
  total: number;
  done: number;
  /** Not begun yet; none once it was called off. */
  left: number;
  running: number;
  failures: readonly Failure[];
  /** It was called off: what had not begun never will. */
  cancelled: number;
  /** The server asked for a pause. */
  slowed: boolean;
  finished: boolean;
}

interface Target {
  id: string;
  name: string;
  tries: number;
}

export interface BulkOptions {
  targets: readonly { id: string; name: string }[];
  /** Does it to one tenant; throws a `Problem` when it did not work. */
  act: (id: string) => Promise<void>;
  /** Told whenever something has moved. */
  onProgress: (progress: Progress) => void;
  /** Waits so many milliseconds. */
  wait: (milliseconds: number) => Promise<void>;
  /** From 0 to 1. */
  chance?: () => number;
}

const isTooMany = (problem: Problem): boolean =>
  problem.status === 429 && problem.code !== "queue_full";

/** Does something to many tenants, a few at a time. It ends by itself; `cancel` lets what is under way end. */
export class Bulk {
  readonly #options: BulkOptions;
  #waiting: Target[];
  #total: number;
  #done = 0;
  #running = 0;
  #cancelled = 0;
  #calledOff = false;
  #failures: Failure[] = [];
  /** One pause for all: the server counts requests, not tenants. */
  #paused: Promise<void> | undefined;
  #refusals = 0;

  constructor(options: BulkOptions) {
    this.#options = options;
    this.#waiting = options.targets.map(({ id, name }) => ({ id, name, tries: 0 }));
    this.#total = this.#waiting.length;
    this.#fill();
  }

  get progress(): Progress {
    return {
      total: this.#total,
      done: this.#done,
      left: this.#waiting.length,
      running: this.#running,
      failures: this.#failures,
      cancelled: this.#cancelled,
      slowed: this.#paused !== undefined,
      finished: this.#running === 0 && this.#waiting.length === 0,
    };
  }

  /** Begins nothing more. */
  cancel(): void {
    this.#calledOff = true;
    this.#cancelled += this.#waiting.length;
    this.#waiting = [];
    this.#tell();
  }

  /** Tries those again that it did not work for. */
  retryFailed(): void {
    this.#waiting.push(...this.#failures.map(({ id, name }) => ({ id, name, tries: 0 })));
    this.#failures = [];
    this.#calledOff = false;
    this.#fill();
  }

  #tell(): void {
    this.#options.onProgress(this.progress);
  }

  #fill(): void {
    while (this.#running < AT_ONCE && this.#paused === undefined) {
      const target = this.#waiting.shift();
      if (target === undefined) break;
      this.#running += 1;
      void this.#one(target);
    }
    this.#tell();
  }

  async #one(target: Target): Promise<void> {
    try {
      await this.#options.act(target.id);
      this.#done += 1;
      this.#refusals = 0;
    } catch (error) {
      this.#failed(target, error);
    }
    this.#running -= 1;
    this.#fill();
  }

  #failed(target: Target, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem(0, "unknown", String(error));
    // Whoever began it is not signed in any more: nothing goes on in their name.
    if (problem.status === 401) this.cancel();
    target.tries += 1;
    if (!isTooMany(problem) || target.tries >= TRIES) {
      this.#failures = [...this.#failures, { id: target.id, name: target.name, problem }];
      return;
    }
    if (this.#calledOff) this.#cancelled += 1;
    else this.#waiting.unshift(target);
    this.#pause((problem.retryAfter ?? 0) * 1000);
  }

  /** Everybody waits, for as long as the server says at least; longer each time. */
  #pause(least: number): void {
    if (this.#paused !== undefined) return;
    this.#refusals += 1;
    const own = pause(this.#refusals, (this.#options.chance ?? Math.random)());
    const length = Math.min(LONGEST_MS, Math.max(least, own));
    this.#paused = this.#options.wait(length).then(() => {
      this.#paused = undefined;
      this.#fill();
    });
  }
}
