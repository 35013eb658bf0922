import createClient from "openapi-fetch";
import { expect, test, vi } from "vitest";

import type { paths } from "../api/schema";
import type { TenantAccess } from "../api/tenant";
import { Outbox } from "./outbox.svelte";

/** What is asked about a message that was sent, by its id. */
const asked = vi.hoisted(() => ({ states: new Map<string, string>() }));

vi.mock("../api/client", async (original) => ({
  ...(await original<object>()),
  api: {
    GET: (_: string, { params }: { params: { path: { message: string } } }) => {
      const id = params.path.message;
      const state = asked.states.get(id);
      if (state === undefined) return Promise.reject(new Error("away"));
      const data = { id, state, message_id: `W-${id}` };
      return Promise.resolve({ data, response: new Response("{}") });
    },
  },
}));

const [AMINA, BABU] = ["254700000001@s.whatsapp.net", "254700000002@s.whatsapp.net"];

/** A server that takes messages, or that is away; and what it was asked. */
function server() {
  const got: { key: string | null; body: unknown }[] = [];
  const here = { away: false };
  const answer = async (request: Request) => {
    got.push({ key: request.headers.get("idempotency-key"), body: await request.json() });
    if (here.away) throw new TypeError("away");
    return Response.json({ id: `m${got.length}`, state: "queued" }, { status: 202 });
  };
  const api = createClient<paths>({ baseUrl: "http://127.0.0.1", fetch: answer });
  const access = { tenant: "duka", through: "operator", api, headers: {}, url: String };
  return { got, here, outbox: new Outbox(access as TenantAccess) };
}

test("what failed stays with its chat, and is tried again under the same key", async () => {
  const { got, here, outbox } = server();
  here.away = true;
  const sending = outbox.send(AMINA, "Habari");
  expect(outbox.of(AMINA).map(({ text }) => text)).toEqual(["Habari"]);
  await sending;
  expect(outbox.of(BABU)).toEqual([]);
  expect(outbox.isUnsent).toBe(true);
  const [failed] = outbox.of(AMINA);
  expect(failed?.problem).toBeDefined();

  here.away = false;
  if (failed !== undefined) await outbox.again(failed);
  expect(got.map(({ body }) => body)).toEqual([
    { to: AMINA, text: "Habari" },
    { to: AMINA, text: "Habari" },
  ]);
  expect(got[1]?.key).toBe(got[0]?.key);
  expect(outbox.isUnsent).toBe(false);
  expect(outbox.isWaiting).toBe(true);
});

test("one that cannot be asked about does not stop the others", async () => {
  const { outbox } = server();
  for (const text of ["one", "two", "three"]) await outbox.send(AMINA, text);
  await outbox.send(BABU, "four");
  asked.states = new Map([
    ["m2", "sent"],
    ["m3", "failed"],
    ["m4", "sent"],
  ]);
  await outbox.follow(AMINA);
  expect(outbox.of(AMINA).map(({ sent }) => sent?.state)).toEqual(["queued", "sent", "failed"]);
  // What went out to a chat that is not looked at is found in its log.
  expect(outbox.of(BABU)).toEqual([]);
  expect(outbox.isUnsent).toBe(true);

  outbox.settle([
    { seq: 1, message_id: "W-m2", chat: AMINA, direction: "OUT", text: "two", at: "" },
  ]);
  expect(outbox.of(AMINA).map(({ text }) => text)).toEqual(["one", "three"]);
});
