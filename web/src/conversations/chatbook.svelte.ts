import { answered, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { mergedChats, renewedChats, type ChatView } from "./lines";

/** Chats on a page. */
const PAGE = 50;

/** A tenant's chats, the one that was written in last first. */
export class ChatBook {
  chats = $state.raw<ChatView[]>([]);
  more = $state<number>();
  loading = $state(true);
  problem = $state.raw<Problem>();

  readonly #access: TenantAccess;
  /** Counts what the list begins with, so that a page that follows another beginning is not taken. */
  #begun = 0;
  /** Counts the questions for the first page, so that an answer that comes after a later one's is not taken. */
  #asked = 0;
  /** The latest question of which the answer was taken. */
  #taken = 0;

  constructor(access: TenantAccess) {
    this.#access = access;
    void this.load();
  }

  async load(): Promise<void> {
    const mine = ++this.#asked;
    this.loading = true;
    this.problem = undefined;
    try {
      const page = await this.#page();
      if (this.#takes(mine)) this.#begin(page.items, page.next ?? undefined);
    } catch (error) {
      if (mine === this.#asked) this.problem = asProblem(error);
    } finally {
      if (mine === this.#asked) this.loading = false;
    }
  }

  async loadMore(): Promise<void> {
    if (this.more === undefined) return;
    const begun = this.#begun;
    const page = await this.#page(this.more);
    if (begun !== this.#begun) return;
    // What is known of a chat was asked for later, or came with news.
    this.chats = mergedChats(page.items, this.chats);
    this.more = page.next ?? undefined;
  }

  /** Looks for what is new. */
  async renew(): Promise<void> {
    if (this.loading) return;
    if (this.problem !== undefined) return this.load();
    const mine = ++this.#asked;
    const page = await this.#page();
    if (!this.#takes(mine)) return;
    const known = renewedChats({ chats: this.chats, more: this.more }, page);
    if (known.more === this.more) this.chats = known.chats;
    else this.#begin(known.chats, known.more);
  }

  /** Whether an answer is newer than the one that was taken last; then it is the one. */
  #takes(mine: number): boolean {
    if (mine < this.#taken) return false;
    this.#taken = mine;
    return true;
  }

  #begin(chats: ChatView[], more: number | undefined): void {
    this.#begun += 1;
    this.chats = chats;
    this.more = more;
  }

  #page(before?: number): Promise<Schemas["Page_ConversationView"]> {
    const { tenant } = this.#access;
    const query = { limit: PAGE, ...(before === undefined ? {} : { before }) };
    return answered(
      this.#access.api.GET("/admin/tenants/{tenant}/conversations", {
        params: { path: { tenant }, query },
      }),
    );
  }
}
