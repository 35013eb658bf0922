/** How a renewal is timed, in milliseconds. */
export interface Pace {
  /** What is asked for within so long after the first is done together. */
  together: number;
  /** So long at least from one beginning to the next. */
  apart: number;
}

/** Work that is asked for again and again: one runs at a time, and what is asked for meanwhile is done once, after it. */
export class Renewal {
  readonly #work: () => Promise<void>;
  readonly #pace: Pace;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #began = -Infinity;
  #runs = false;
  #again = false;
  #closed = false;

  constructor(work: () => Promise<void>, pace: Pace) {
    this.#work = work;
    this.#pace = pace;
  }

  /** Wants it done, soon. */
  ask(): void {
    if (this.#closed) return;
    if (this.#runs) {
      this.#again = true;
      return;
    }
    const { together, apart } = this.#pace;
    const wait = Math.max(together, this.#began + apart - Date.now());
    this.#timer ??= setTimeout(() => void this.#run(), wait);
  }

  /** Ends it; what runs is not awaited. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#began = Date.now();
    this.#runs = true;
    try {
      await this.#work();
    } catch {
      // Whoever asks next tries anew; that the server is away is said elsewhere.
    }
    this.#runs = false;
    if (!this.#again) return;
    this.#again = false;
    this.ask();
  }
}
