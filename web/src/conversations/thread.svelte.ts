import { answered, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { merged, renewed, withState, type Message, type State } from "./lines";
import type { Outbox, Pending } from "./outbox.svelte";

/** Messages on a page. */
const PAGE = 50;

/** The messages of one chat, as they come. */
export class Thread {
  readonly chat: string;
  messages = $state.raw<Message[]>([]);
  /** Set when there are older messages. */
  older = $state<number>();
  /** Whether it ends before the newest message, at one that was searched for. */
  isPast = $state(false);
  loading = $state(true);
  problem = $state.raw<Problem>();

  /** Where what is written goes. */
  readonly outbox: Outbox;
  readonly #access: TenantAccess;
  /** Counts what the list begins with, so that a late answer to what was asked before is not taken. */
  #asked = 0;

  constructor(access: TenantAccess, outbox: Outbox, chat: string, at?: number) {
    this.#access = access;
    this.outbox = outbox;
    this.chat = chat;
    void this.load(at);
  }

  /** What was written here and is not among the messages yet. */
  get pending(): Pending[] {
    return this.outbox.of(this.chat);
  }

  /** Begins anew: with the newest messages, or with one and what was before it. */
  async load(at?: number): Promise<void> {
    const mine = ++this.#asked;
    this.loading = true;
    this.problem = undefined;
    try {
      const page = await this.#page(at === undefined ? undefined : at + 1);
      if (mine !== this.#asked) return;
      this.messages = merged([], page.items);
      this.older = page.next ?? undefined;
      this.isPast = at !== undefined;
      this.outbox.settle(this.messages);
    } catch (error) {
      if (mine === this.#asked) this.problem = asProblem(error);
    } finally {
      if (mine === this.#asked) this.loading = false;
    }
  }

  /** Loads the page before. */
  async loadOlder(): Promise<void> {
    if (this.older === undefined) return;
    const mine = this.#asked;
    const page = await this.#page(this.older);
    if (mine !== this.#asked) return;
    this.messages = merged(page.items, this.messages);
    this.older = page.next ?? undefined;
  }

  /** Looks for what is new. */
  async renew(): Promise<void> {
    if (this.isPast || this.loading) return;
    const mine = this.#asked;
    const page = await this.#page();
    if (mine !== this.#asked) return;
    const known = renewed({ messages: this.messages, older: this.older }, page);
    // An older page that is on its way follows what is left out.
    if (known.older !== this.older) this.#asked += 1;
    this.messages = known.messages;
    this.older = known.older;
    this.outbox.settle(this.messages);
  }

  /** What became of a message of ours. */
  heard(id: string, state: State): void {
    this.messages = withState(this.messages, id, state);
  }

  #page(before?: number): Promise<Schemas["Page_MessageView"]> {
    const { tenant } = this.#access;
    const query = { chat: this.chat, limit: PAGE, ...(before === undefined ? {} : { before }) };
    return answered(
      this.#access.api.GET("/admin/tenants/{tenant}/messages", {
        params: { path: { tenant }, query },
      }),
    );
  }
}
