import { answered, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { TenantAccess } from "../api/tenant";
import { mergedChats } from "./lines";

/** Chats on a page. */
const PAGE = 50;

/** A tenant's chats, the one that was written in last first. */
export class ChatBook {
  chats = $state.raw<Schemas["ConversationView"][]>([]);
  more = $state<number>();
  loading = $state(true);
  problem = $state.raw<Problem>();

  readonly #access: TenantAccess;

  constructor(access: TenantAccess) {
    this.#access = access;
    void this.load();
  }

  async load(): Promise<void> {
    this.loading = true;
    this.problem = undefined;
    try {
      const page = await this.#page();
      this.chats = page.items;
      this.more = page.next ?? undefined;
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.loading = false;
    }
  }

  async loadMore(): Promise<void> {
    if (this.more === undefined) return;
    const page = await this.#page(this.more);
    this.chats = mergedChats(this.chats, page.items);
    this.more = page.next ?? undefined;
  }

  /** Looks for what is new. */
  async renew(): Promise<void> {
    if (this.loading) return;
    if (this.problem !== undefined) return this.load();
    const page = await this.#page();
    this.chats = mergedChats(this.chats, page.items);
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
