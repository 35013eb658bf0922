import createClient from "openapi-fetch";
import { expect, test, vi } from "vitest";

import type { paths } from "../api/schema";
import type { TenantAccess } from "../api/tenant";
import { withText, type RulesDocument } from "./document";
import { Draft } from "./draft.svelte";

/** A server that keeps one tenant's greeting and rules, and what it was asked to change. */
class Server {
  rules: RulesDocument | undefined;
  greeting = "Karibu";
  readonly changes: string[] = [];

  readonly access: TenantAccess = {
    tenant: "duka",
    through: "portal",
    headers: {},
    url: (suffix) => suffix,
    api: createClient<paths>({
      baseUrl: "http://server.example.com",
      fetch: async (request) => Response.json(await this.#answer(request)),
    }),
  };

  async #answer(request: Request): Promise<unknown> {
    const path = new URL(request.url).pathname;
    if (request.method === "GET") return { version: 1, rules: this.rules };
    if (path.endsWith("/rules/test")) {
      return { action: "reply", reply: this.greeting, passed: [], reasons: [] };
    }
    this.changes.push(request.method);
    if (request.method === "PUT") this.rules = (await request.json()) as RulesDocument;
    else this.greeting = ((await request.json()) as { greeting: string }).greeting;
    return {};
  }
}

const RULES = (reply: string): RulesDocument => ({
  variables: { till: "4711" },
  rules: [{ name: "rest", action: { reply } }],
});

async function loaded(server: Server): Promise<Draft> {
  const draft = new Draft(server.access);
  await vi.waitFor(() => expect(draft.document).toBeDefined());
  return draft;
}

function write(draft: Draft, text: string): void {
  if (draft.document === undefined) throw new Error("there is a document");
  draft.document = withText(draft.document, { index: 0, place: "reply" }, text);
}

test("a greeting is saved as one, and with a variable in it as rules", async () => {
  const server = new Server();
  const draft = await loaded(server);
  write(draft, "Hello");
  expect(draft.isChanged).toBe(true);
  expect(await draft.save()).toBe("saved");
  expect(server.greeting).toBe("Hello");
  expect(draft.isChanged).toBe(false);
  write(draft, "Hello {name|friend}");
  await draft.save();
  expect(server.changes).toEqual(["PATCH", "PUT"]);
  expect(server.rules?.rules[0]?.action).toEqual({ reply: "Hello {name|friend}" });
});

test("what somebody else has changed meanwhile is not overwritten unasked", async () => {
  const server = new Server();
  server.rules = RULES("one");
  const draft = await loaded(server);
  write(draft, "mine");
  server.rules = RULES("theirs");
  expect(await draft.save()).toBe("conflict");
  expect(draft.conflict).toBe(true);
  expect(server.changes).toEqual([]);
  expect(await draft.save({ over: true })).toBe("saved");
  expect(server.rules).toEqual(RULES("mine"));
  expect(draft.conflict).toBe(false);
});

test("theirs can be taken", async () => {
  const server = new Server();
  server.rules = RULES("one");
  const draft = await loaded(server);
  write(draft, "mine");
  server.rules = RULES("theirs");
  await draft.save();
  await draft.load();
  expect(draft.document).toEqual(RULES("theirs"));
  expect(draft.isChanged).toBe(false);
});
