import type { TenantAccess } from "../api/tenant";
import { EventStream } from "../live/stream.svelte";
import { fresh, isRepeated, plain, understood, type LogLine } from "./logLine";

/** The most lines that are kept; older ones go. */
export const MOST = 5000;

/** Lines that a stream begins with. */
const TAIL = 1000;

/** Lines that come together are taken together, in milliseconds. */
const TOGETHER = 120;

/** A line with a number of its own, for as long as it is kept. */
export interface Kept extends LogLine {
  id: number;
}

/** The end of a log, as it grows. It can be held: then what comes waits and is counted. */
export class LogTail {
  lines = $state.raw<readonly Kept[]>([]);
  /** Whether what was there at the beginning is here. */
  isHere = $state(false);
  /** Whether new lines wait. */
  isHeld = $state(false);
  /** How many wait; more than are kept are counted too. */
  waiting = $state(0);
  readonly stream: EventStream;

  /** What came since it was held. */
  #held: readonly Kept[] = [];
  #incoming: string[] = [];
  #taking: ReturnType<typeof setTimeout> | undefined;
  /** Whether a connection has begun, and repeats the end of the log. */
  #begun = false;
  /** When a connection began, or a line came, in milliseconds since 1970. */
  #heardAt = 0;
  #last = 0;

  constructor(access: TenantAccess) {
    this.stream = new EventStream({
      url: () => access.url(`/logs?follow=true&tail=${TAIL}`),
      headers: access.headers,
      onOpen: () => {
        // What was being repeated when it was cut once more is repeated again.
        if (this.#begun) this.#incoming = [];
        else this.#take();
        this.#begun = true;
        this.#heardAt = Date.now();
        this.#soon();
      },
      onMessage: ({ data }) => {
        this.#heardAt = Date.now();
        this.#incoming.push((JSON.parse(data) as { line: string }).line);
        this.#soon();
      },
    });
  }

  /** Holds it, or goes on with what waited. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (isHeld) return;
    this.lines = [...this.lines, ...this.#held].slice(-MOST);
    this.#held = [];
    this.waiting = 0;
  }

  close(): void {
    clearTimeout(this.#taking);
    this.stream.close();
  }

  #soon(): void {
    this.#taking ??= setTimeout(() => this.#take(), TOGETHER);
  }

  #take(): void {
    clearTimeout(this.#taking);
    this.#taking = undefined;
    const all = [...this.lines, ...this.#held];
    const toCome = Math.min(TAIL, all.length);
    if (this.#begun && !isRepeated(this.#incoming.length, toCome, Date.now() - this.#heardAt)) {
      this.#soon();
      return;
    }
    let incoming: readonly string[] = this.#incoming;
    this.#incoming = [];
    if (this.#begun) {
      // A new connection says the end of the log once more.
      const known = all.slice(-TAIL).map(({ raw }) => raw);
      incoming = fresh(known, incoming.map(plain));
      this.#begun = false;
      this.isHere = true;
    }
    if (incoming.length === 0) return;
    let before: LogLine | undefined = all.at(-1);
    const kept = incoming.map((line): Kept => {
      const one = { ...understood(line, before), id: ++this.#last };
      before = one;
      return one;
    });
    if (this.isHeld) {
      this.#held = [...this.#held, ...kept].slice(-MOST);
      this.waiting += kept.length;
    } else {
      this.lines = [...this.lines, ...kept].slice(-MOST);
    }
  }
}
