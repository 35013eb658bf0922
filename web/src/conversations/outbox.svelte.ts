import { answered, api, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { newKey } from "./key";
import type { Message } from "./lines";

/** A message that was written here and is not in the log yet: the log has what WhatsApp has. */
export interface Pending {
  /** Of this wish; the server sends it once, however often it is asked. */
  key: string;
  /** The address of the chat it goes to. */
  chat: string;
  text: string;
  at: number;
  /** What the server says of it. */
  sent?: Schemas["SentMessage"];
  /** Why it was not accepted. */
  problem?: Problem;
}

/** What was written to a tenant's chats and is on its way, or failed; it outlives the chat that is looked at. */
export class Outbox {
  pending = $state.raw<Pending[]>([]);

  readonly #access: TenantAccess;
  #follows = false;

  constructor(access: TenantAccess) {
    this.#access = access;
  }

  /** What is on its way to a chat, in the order in which it was written. */
  of(chat: string): Pending[] {
    return this.pending.filter((it) => it.chat === chat);
  }

  /** Whether there is something that would be lost with the page: the server does not have it, or could not send it. */
  get isUnsent(): boolean {
    return this.pending.some(({ sent }) => sent === undefined || sent.state === "failed");
  }

  /** Whether the server has something of which it can say more. */
  get isWaiting(): boolean {
    return this.pending.some(isUnderway);
  }

  /** Sends a text; it stands in `pending` when this returns its promise. */
  async send(chat: string, text: string, key: string = newKey()): Promise<void> {
    this.pending = [...this.pending, { key, chat, text, at: Date.now() }];
    try {
      const asked = this.#access.api.POST("/v1/tenants/{tenant}/messages", {
        params: { path: { tenant: this.#access.tenant }, header: { "Idempotency-Key": key } },
        body: { to: chat, text },
      });
      this.#change(key, { sent: await answered(asked) });
    } catch (error) {
      this.#change(key, { problem: asProblem(error) });
    }
  }

  /** Tries again what was not accepted: under its own key, so that it is not sent twice. */
  async again({ key, chat, text, sent }: Pending): Promise<void> {
    this.drop(key);
    await this.send(chat, text, sent === undefined ? key : newKey());
  }

  /** Forgets what was not sent. */
  drop(key: string): void {
    this.pending = this.pending.filter((it) => it.key !== key);
  }

  /** Asks what became of what is on its way; what went out elsewhere than to the `open` chat is found in the log. */
  async follow(open?: string): Promise<void> {
    if (this.#follows) return;
    this.#follows = true;
    try {
      for (const it of this.pending.filter(isUnderway)) await this.#ask(it, open);
    } finally {
      this.#follows = false;
    }
  }

  /** What the log has is no longer pending. */
  settle(messages: readonly Message[]): void {
    const logged = new Set(messages.map((it) => it.message_id));
    const waits = (it: Pending) => !logged.has(it.sent?.message_id ?? "");
    if (!this.pending.every(waits)) this.pending = this.pending.filter(waits);
  }

  async #ask({ key, chat, sent }: Pending, open: string | undefined): Promise<void> {
    if (sent === undefined) return;
    try {
      const asked = api.GET("/v1/messages/{message}", {
        params: { path: { message: sent.id } },
        headers: this.#access.headers,
      });
      const now = await answered(asked);
      if (chat !== open && now.state !== "queued" && now.state !== "failed") this.drop(key);
      else this.#change(key, { sent: now });
    } catch {
      // It is asked for again; what stands behind it is not kept waiting.
    }
  }

  #change(key: string, changes: Partial<Pending>): void {
    this.pending = this.pending.map((it) => (it.key === key ? { ...it, ...changes } : it));
  }
}

/** Whether the server has it, and it may still change. */
const isUnderway = ({ sent }: Pending): boolean => sent !== undefined && sent.state !== "failed";
