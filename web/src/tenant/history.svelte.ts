import { answered, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
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
  problem = $state.raw<Problem>();
  readonly #access: TenantAccess;
  #stream: EventStream | undefined;
  #closed = false;

  constructor(access: TenantAccess) {
    this.#access = access;
    void this.load();
  }

  async load(): Promise<void> {
    this.problem = undefined;
    const { api, tenant } = this.#access;
    const params = { path: { tenant }, query: { last: MOST, kind: KINDS } };
    try {
      const page = await answered(api.GET("/admin/tenants/{tenant}/events", { params }));
      if (this.#closed) return;
      this.events = "items" in page ? page.items : [];
      this.isWhole = true;
      this.#follow();
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  #follow(): void {
    this.#stream = new EventStream({
      url: () => {
        // Where nothing was, everything is new.
        const after = this.events.at(-1)?.seq ?? 0;
        return this.#access.url(`/events?follow=true&after=${after}&kind=${KINDS}`);
      },
      headers: this.#access.headers,
      onMessage: ({ data }) => {
        const event = JSON.parse(data) as Schemas["EventView"];
        this.events = [...this.events, event].slice(-MOST);
      },
    });
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
  }
}
