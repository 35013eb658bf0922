import { createParser } from "eventsource-parser";

import { send } from "../api/client";
import { asProblem, problemOf, type Problem } from "../api/problem";
import { whenBack } from "../session/person";
import { pause } from "./backoff";
import { isFinal } from "./refusal";

/** How a stream stands. `paused`: the page is not looked at; `ended`: the server refused it for good. */
export type StreamState = "connecting" | "live" | "interrupted" | "paused" | "ended";

/** A message of a stream. */
export interface Message {
  /** The kind of message; `message` where the server names none. */
  event: string;
  data: string;
}

export interface StreamOptions {
  /** Where it is; asked for before each try, so that it may change. */
  url: () => string;
  headers?: Readonly<Record<string, string>>;
  onMessage: (message: Message) => void;
  /** What begins anew with each connection: such a stream says all at once at its beginning. */
  onOpen?: () => void;
  /** Go on where it was cut (`Last-Event-ID`). */
  resume?: boolean;
}

/** Nothing for so long, not even a sign of life (15 s apart), means that the connection is dead. */
const SILENCE_MS = 40_000;

/** A hidden page keeps its streams for so long: a browser gives a host six connections, over all its pages. */
const HIDDEN_MS = 10_000;

/**
 * A stream of server-sent events that comes back by itself: after a cut where it was, and not while nobody looks at
 * the page. Unlike the browser's `EventSource` it sends headers, and tells a refusal from a cut.
 */
export class EventStream {
  state = $state<StreamState>("connecting");
  /** Why it ended for good. */
  problem = $state<Problem>();
  /** When something was last heard, in milliseconds since 1970. */
  heardAt = $state(0);

  readonly #options: StreamOptions;
  #lastId = "";
  #failures = 0;
  #abort: AbortController | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Who signs in again sees it go on. */
  readonly #leave = whenBack(() => {
    if (this.state === "ended" && this.problem?.status === 401) this.retry();
  });

  constructor(options: StreamOptions) {
    this.#options = options;
    document.addEventListener("visibilitychange", this.#onVisibility);
    window.addEventListener("online", this.#onOnline);
    void this.#connect();
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
    this.#leave();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    window.removeEventListener("online", this.#onOnline);
    clearTimeout(this.#hidden);
    this.#cut();
  }

  /** Tries again now. */
  retry(): void {
    if (this.#closed || this.state === "live") return;
    this.#cut();
    void this.#connect();
  }

  readonly #onOnline = () => {
    if (this.state === "interrupted") this.retry();
  };

  readonly #onVisibility = () => {
    clearTimeout(this.#hidden);
    if (document.hidden) {
      this.#hidden = setTimeout(() => {
        if (this.state === "ended") return;
        this.#cut();
        this.state = "paused";
      }, HIDDEN_MS);
    } else if (this.state === "paused") {
      this.retry();
    }
  };

  #cut(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#abort?.abort();
    this.#abort = undefined;
  }

  async #connect(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    if (this.state !== "interrupted") this.state = "connecting";
    try {
      await this.#read(abort);
      this.#interrupted(abort);
    } catch (error) {
      if (abort.signal.aborted && this.#abort !== abort) return;
      const problem = asProblem(error);
      if (isFinal(problem)) {
        clearTimeout(this.#silence);
        this.problem = problem;
        this.state = "ended";
        return;
      }
      this.#interrupted(abort);
    }
  }

  async #read(abort: AbortController): Promise<void> {
    const { url, headers, onMessage, onOpen, resume } = this.#options;
    const request = new Request(url(), {
      headers: { accept: "text/event-stream", ...headers },
      signal: abort.signal,
      cache: "no-store",
    });
    if (resume === true && this.#lastId !== "") request.headers.set("last-event-id", this.#lastId);
    this.#listen(abort);
    const response = await send(request);
    if (!response.ok || response.body === null) {
      throw problemOf(response.status, await response.json().catch(() => undefined));
    }
    this.state = "live";
    this.problem = undefined;
    this.#failures = 0;
    onOpen?.();
    const parser = createParser({
      onEvent: ({ event, data, id }) => {
        if (id !== undefined) this.#lastId = id;
        onMessage({ event: event ?? "message", data });
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (abort.signal.aborted) return;
      this.#listen(abort);
      parser.feed(value);
    }
  }

  /** Something was heard; silence from now on is counted anew. */
  #listen(abort: AbortController): void {
    this.heardAt = Date.now();
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.#abort === abort) this.retryAfterSilence();
    }, SILENCE_MS);
  }

  private retryAfterSilence(): void {
    this.state = "interrupted";
    this.#cut();
    void this.#connect();
  }

  #interrupted(abort: AbortController): void {
    if (this.#closed || this.#abort !== abort) return;
    clearTimeout(this.#silence);
    this.state = "interrupted";
    this.#failures += 1;
    this.#retry = setTimeout(() => void this.#connect(), pause(this.#failures, Math.random()));
  }
}
