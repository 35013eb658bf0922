import createClient from "openapi-fetch";
import { expect, test, vi } from "vitest";

import type { paths } from "../api/schema";
import type { TenantAccess } from "../api/tenant";
import { ChatBook } from "./chatbook.svelte";
import type { ChatView } from "./lines";

const chat = (name: string, seq: number): ChatView => ({
  chat: name,
  last: { seq, message_id: `M${seq}`, chat: name, direction: "IN", text: "", at: "" },
  messages: 1,
});

/** A server that answers when it is told to, in whatever order. */
function server() {
  const open: ((page: { items: ChatView[]; next?: number }) => void)[] = [];
  const asked: (string | null)[] = [];
  const api = createClient<paths>({
    baseUrl: "http://127.0.0.1",
    fetch: (request) => {
      asked.push(new URL(request.url).searchParams.get("before"));
      return new Promise((done) => open.push((page) => done(Response.json(page))));
    },
  });
  const access = { tenant: "duka", through: "operator", api, headers: {}, url: String };
  const book = new ChatBook(access as TenantAccess);
  /** Answers a question, counted from 0. */
  const answer = async (at: number, page: { items: ChatView[]; next?: number }) => {
    await vi.waitFor(() => expect(open.length).toBeGreaterThan(at));
    open[at]?.(page);
  };
  return { asked, answer, book, names: () => book.chats.map((it) => it.chat) };
}

test("an older answer that comes late is not taken", async () => {
  const { answer, book, names } = server();
  await answer(0, { items: [chat("a", 1)] });
  await vi.waitFor(() => expect(book.loading).toBe(false));
  const [first, second] = [book.renew(), book.renew()];
  await answer(2, { items: [chat("b", 3), chat("a", 2)] });
  await second;
  await answer(1, { items: [chat("a", 1)] });
  await first;
  expect(names()).toEqual(["b", "a"]);
  expect(book.chats[1]?.last.seq).toBe(2);
});

test("a page after another beginning is not taken", async () => {
  const { answer, asked, book, names } = server();
  await answer(0, { items: [chat("a", 5), chat("b", 4)], next: 4 });
  await vi.waitFor(() => expect(book.loading).toBe(false));
  const more = book.loadMore();
  const renewed = book.renew();
  await answer(2, { items: [chat("c", 9), chat("d", 8)], next: 8 });
  await renewed;
  await answer(1, { items: [chat("e", 3)] });
  await more;
  expect(asked).toEqual([null, "4", null]);
  expect([names(), book.more]).toEqual([["c", "d"], 8]);
});

test("a further page does not undo what came meanwhile", async () => {
  const { answer, book, names } = server();
  await answer(0, { items: [chat("a", 5), chat("b", 4)], next: 4 });
  await vi.waitFor(() => expect(book.loading).toBe(false));
  const more = book.loadMore();
  const renewed = book.renew();
  await answer(2, { items: [chat("c", 9), chat("a", 5)], next: 5 });
  await renewed;
  await answer(1, { items: [chat("c", 3), chat("d", 2)] });
  await more;
  expect(names()).toEqual(["c", "a", "b", "d"]);
  expect(book.chats[0]?.last.seq).toBe(9);
  expect(book.more).toBeUndefined();
});
