import type { Schemas } from "../api/client";
import type { TenantAccess } from "../api/tenant";
import { EventStream } from "../live/stream.svelte";
import { KINDS } from "./timeline";

/** Events that are asked for and kept: enough for the busiest day that can be drawn. */
const MOST = 1000;

/** What happened to a tenant's worker and session, and what happens. */
export class History {
  /** Oldest first. */
  events = $state.raw<Schemas["EventView"][]>([]);
  /** Whether all that was is here. */
  isWhole = $state(false);
  readonly stream: EventStream;
  #waiting: Schemas["EventView"][] = [];
  #taking: ReturnType<typeof setTimeout> | undefined;

  constructor(access: TenantAccess) {
    this.stream = new EventStream({
      url: () => access.url(`/events?follow=true&last=${MOST}&kind=${KINDS}`),
      headers: access.headers,
      resume: true,
      // What was comes in one burst right after; where nothing was, nothing comes.
      onOpen: () => this.#take(),
      onMessage: ({ data }) => {
        this.#waiting.push(JSON.parse(data) as Schemas["EventView"]);
        this.#take();
      },
    });
  }

  #take(): void {
    this.#taking ??= setTimeout(() => {
      this.#taking = undefined;
      // Where it begins anew, what comes may be here already.
      const known = this.events.at(-1)?.seq ?? 0;
      const fresh = this.#waiting.filter(({ seq }) => seq > known);
      this.#waiting = [];
      if (fresh.length > 0) this.events = [...this.events, ...fresh].slice(-MOST);
      this.isWhole = true;
    }, 150);
  }

  close(): void {
    clearTimeout(this.#taking);
    this.stream.close();
  }
}
