import { expect, test } from "vitest";

import {
  lines,
  merged,
  mergedChats,
  renewed,
  renewedChats,
  withState,
  type Message,
} from "./lines";

const message = (seq: number, more: Partial<Message> = {}): Message => ({
  seq,
  message_id: `M${seq}`,
  chat: "254700000001@s.whatsapp.net",
  direction: "IN",
  text: `text ${seq}`,
  at: new Date(Date.UTC(2026, 10, 25, 9, seq)).toISOString(),
  ...more,
});

test("pages come together in order, the newer word counts", () => {
  const known = [message(1), message(3, { direction: "OUT", state: "sent" })];
  const fresh = [message(3, { direction: "OUT", state: "read" }), message(2)];
  const all = merged(known, fresh);
  expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(all[2]?.state).toBe("read");
});

test("what is new is put behind what is known, without a hole", () => {
  const seqs = ({ messages }: { messages: Message[] }) => messages.map(({ seq }) => seq);
  const known = { messages: [message(1), message(2)], older: undefined };
  const met = renewed(known, { items: [message(4), message(3), message(2)], next: 2 });
  expect(seqs(met)).toEqual([1, 2, 3, 4]);
  expect(met.older).toBeUndefined();
  const many = renewed(known, { items: [message(9), message(8)], next: 8 });
  expect(seqs(many)).toEqual([8, 9]);
  expect(many.older).toBe(8);
  expect(seqs(renewed({ messages: [], older: undefined }, { items: [message(1)] }))).toEqual([1]);
  expect(renewed({ ...known, older: 1 }, { items: [message(3), message(2)] }).older).toBe(1);
});

test("a message only goes forward", () => {
  const ours = [message(1, { direction: "OUT", state: "delivered" }), message(2)];
  const state = (next: Parameters<typeof withState>[2]) => withState(ours, "M1", next)[0]?.state;
  expect(state("read")).toBe("read");
  expect(state("sent")).toBe("delivered");
  expect(state("failed")).toBe("delivered");
  expect(withState(ours, "M2", "read")[1]?.state).toBeUndefined();
  expect(withState(ours, "M1", "read")).not.toBe(ours);
});

test("what says nothing new leaves the list as it is", () => {
  const ours = [message(1, { direction: "OUT", state: "delivered" }), message(2)];
  expect(withState(ours, "M1", "delivered")).toBe(ours);
  expect(withState(ours, "M2", "read")).toBe(ours);
  expect(withState(ours, "M9", "read")).toBe(ours);
});

test("days and turns", () => {
  const dayOf = (at: string) => at.slice(0, 10);
  const shown = lines(
    [
      message(1),
      message(2),
      message(3, { direction: "OUT" }),
      message(40, { direction: "OUT" }),
      message(41, { at: "2026-11-26T00:00:00Z", direction: "OUT" }),
    ],
    dayOf,
  );
  const said = shown.map((line) => (line.kind === "day" ? line.at.slice(8, 10) : line.first));
  expect(said).toEqual(["25", true, false, true, true, "26", true]);
  expect(lines([], dayOf)).toEqual([]);
});

const chat = (name: string, seq: number) => ({ chat: name, last: message(seq), messages: seq });

test("the chat that was written in last comes first", () => {
  const all = mergedChats([chat("a", 5), chat("b", 4)], [chat("b", 9)]);
  expect(all.map((it) => [it.chat, it.messages])).toEqual([
    ["b", 9],
    ["a", 5],
  ]);
});

test("chats are renewed without a hole", () => {
  const names = ({ chats }: { chats: { chat: string }[] }) => chats.map((it) => it.chat);
  const known = { chats: [chat("a", 5), chat("b", 4), chat("c", 3)], more: 3 };
  const met = renewedChats(known, { items: [chat("b", 9), chat("a", 5)], next: 5 });
  expect([names(met), met.more]).toEqual([["b", "a", "c"], 3]);
  const many = renewedChats(known, { items: [chat("d", 9), chat("e", 8)], next: 8 });
  expect([names(many), many.more]).toEqual([["d", "e"], 8]);
  const first = renewedChats({ chats: [], more: undefined }, { items: [chat("a", 5)] });
  expect([names(first), first.more]).toEqual([["a"], undefined]);
});
