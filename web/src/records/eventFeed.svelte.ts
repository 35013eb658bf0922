import { untrack } from "svelte";

import { answered, api } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { EventStream } from "../live/stream.svelte";
import { lastFor, merged, streamAddress, type Event } from "./eventLog";

/** Events that come within so many milliseconds are shown at once: a storm of them must not keep the page from answering. */
const GATHER_MS = 120;

/** What a stream begins with comes at once with it; after so many milliseconds without any there is none. */
const SETTLE_MS = 400;

/** Events of a tenant or of all, live; older ones on demand. */
export class EventFeed {
  shown = $state.raw<readonly Event[]>([]);
  /** What has come while it stands still. */
  held = $state.raw<readonly Event[]>([]);
  paused = $state(false);
  /** Whether what is shown is what there is, be it nothing. */
  settled = $state(false);
  /** Whether there are none that are older than what is shown. */
  complete = $state(false);
  loadingOlder = $state(false);
  olderProblem = $state<Problem>();

  readonly stream: EventStream;
  readonly #access: TenantAccess | undefined;
  readonly #kinds: string | undefined;
  #come: Event[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(access: TenantAccess | undefined, kinds: string | undefined) {
    this.#access = access;
    this.#kinds = kinds;
    const base = access === undefined ? "/admin/events" : access.url("/events");
    // It must not begin anew because of what it looks at while it begins.
    this.stream = untrack(
      () =>
        new EventStream({
          url: () => streamAddress(base, kinds),
          headers: access?.headers ?? {},
          resume: true,
          onOpen: () => {
            clearTimeout(this.#settling);
            this.#settling = setTimeout(() => (this.settled = true), SETTLE_MS);
          },
          onMessage: ({ data }) => this.#take(JSON.parse(data) as Event),
        }),
    );
  }

  close(): void {
    clearTimeout(this.#gathering);
    clearTimeout(this.#settling);
    this.stream.close();
  }

  /** Has the list stand still, or go on with what has come meanwhile. */
  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) return;
    this.shown = merged(this.shown, this.held);
    this.held = [];
  }

  #take(event: Event): void {
    this.#come.push(event);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const come = this.#come;
      this.#come = [];
      this.settled = true;
      if (this.paused) this.held = merged(this.held, come);
      else this.shown = merged(this.shown, come);
    }, GATHER_MS);
  }

  /** Shows some that are older. */
  async older(): Promise<void> {
    const last = lastFor(this.shown.length);
    if (last === undefined || this.loadingOlder) return;
    this.loadingOlder = true;
    this.olderProblem = undefined;
    try {
      const items = await this.#newest(last);
      const before = this.shown.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
      const older = items.filter(({ seq }) => seq < before);
      this.complete = items.length < last;
      this.shown = merged(this.shown, older);
    } catch (error) {
      this.olderProblem = asProblem(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  async #newest(last: number): Promise<readonly Event[]> {
    const query = { last, ...(this.#kinds === undefined ? {} : { kind: this.#kinds }) };
    const access = this.#access;
    const page =
      access === undefined
        ? await answered(api.GET("/admin/events", { params: { query } }))
        : await answered(
            access.api.GET("/admin/tenants/{tenant}/events", {
              params: { path: { tenant: access.tenant }, query },
            }),
          );
    // The document names the stream's single events as well; they come only to who asks for a stream.
    return "items" in page ? page.items : [];
  }
}
