import { answered, api, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { merged, renewed, withState, type Message, type State } from "./lines";

/** Messages on a page. */
const PAGE = 50;

/** A message that was written here and is not in the log yet: the log has what WhatsApp has. */
export interface Pending {
  /** Of this wish; the server sends it once, however often it is asked. */
  key: string;
  text: string;
  at: number;
  /** What the server says of it. */
  sent?: Schemas["SentMessage"];
  /** Why it was not accepted. */
  problem?: Problem;
}

/** The messages of one chat, as they come. */
export class Thread {
  readonly chat: string;
  messages = $state.raw<Message[]>([]);
  pending = $state.raw<Pending[]>([]);
  /** Set when there are older messages. */
  older = $state<number>();
  /** Whether it ends before the newest message, at one that was searched for. */
  isPast = $state(false);
  loading = $state(true);
  problem = $state.raw<Problem>();

  readonly #access: TenantAccess;
  /** Counts what the list begins with, so that a late answer to what was asked before is not taken. */
  #asked = 0;

  constructor(access: TenantAccess, chat: string, at?: number) {
    this.#access = access;
    this.chat = chat;
    void this.load(at);
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
    this.messages = known.messages;
    this.older = known.older;
    this.#settle();
  }

  /** What became of a message of ours. */
  heard(id: string, state: State): void {
    this.messages = withState(this.messages, id, state);
  }

  /** Sends a text. */
  async send(text: string, key: string = crypto.randomUUID()): Promise<void> {
    this.#put({ key, text, at: Date.now() });
    try {
      const asked = this.#access.api.POST("/v1/tenants/{tenant}/messages", {
        params: { path: { tenant: this.#access.tenant }, header: { "Idempotency-Key": key } },
        body: { to: this.chat, text },
      });
      const sent = await answered(asked);
      this.#change(key, { sent });
    } catch (error) {
      this.#change(key, { problem: asProblem(error) });
    }
  }

  /** Tries again what was not accepted: under its own key, so that it is not sent twice. */
  async again({ key, text, sent }: Pending): Promise<void> {
    this.drop(key);
    await this.send(text, sent === undefined ? key : crypto.randomUUID());
  }

  /** Forgets what was not sent. */
  drop(key: string): void {
    this.pending = this.pending.filter((it) => it.key !== key);
  }

  /** Asks what became of what is on its way. */
  async follow(): Promise<void> {
    for (const { key, sent } of this.pending) {
      if (sent === undefined || sent.state === "failed") continue;
      const asked = api.GET("/v1/messages/{message}", {
        params: { path: { message: sent.id } },
        headers: this.#access.headers,
      });
      this.#change(key, { sent: await answered(asked) });
    }
    this.#settle();
  }

  /** What the log has is no longer pending. */
  #settle(): void {
    const logged = new Set(this.messages.map((it) => it.message_id));
    const waits = (it: Pending) => !logged.has(it.sent?.message_id ?? "");
    if (!this.pending.every(waits)) this.pending = this.pending.filter(waits);
  }

  #put(pending: Pending): void {
    this.pending = [...this.pending, pending];
  }

  #change(key: string, changes: Partial<Pending>): void {
    this.pending = this.pending.map((it) => (it.key === key ? { ...it, ...changes } : it));
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
