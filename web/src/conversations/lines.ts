import type { Schemas } from "../api/client";

export type Message = Schemas["MessageView"];
export type State = Schemas["MessageState"];

/** What a chat is shown as: messages, and a line where another day begins. */
export type Line =
  | { kind: "day"; key: string; at: string }
  | { kind: "message"; key: string; message: Message; first: boolean };

/** Messages of one side within so long stand together as one turn. */
const TURN_MS = 5 * 60_000;

/** Messages of two pages together, oldest first; what is in both is as `fresh` has it. */
export function merged(known: readonly Message[], fresh: readonly Message[]): Message[] {
  const all = new Map(known.map((message) => [message.seq, message]));
  for (const message of fresh) all.set(message.seq, message);
  return [...all.values()].sort((a, b) => a.seq - b.seq);
}

/** What is known of a chat: its messages without a hole, oldest first, and where what is older is asked for. */
export interface Known {
  messages: Message[];
  older: number | undefined;
}

/**
 * What is known after its newest page was asked for again (`next`: where the page before it is). Where more came than a
 * page holds, what was known is left out: what is between the two is loaded like any older page.
 */
export function renewed(
  known: Known,
  page: { items: readonly Message[]; next?: number | null },
): Known {
  const newest = known.messages.at(-1)?.seq ?? 0;
  const oldest = page.items.at(-1)?.seq ?? 0;
  const next = page.next ?? undefined;
  if (next !== undefined && oldest > newest) {
    return { messages: merged([], page.items), older: next };
  }
  return { messages: merged(known.messages, page.items), older: known.older };
}

const ORDER: readonly State[] = ["queued", "sent", "delivered", "read"];

/** Whether a state may follow another; a message only goes forward, and what failed stays so. */
function follows(was: State, next: State): boolean {
  if (was === "failed") return false;
  return next === "failed"
    ? was === "queued" || was === "sent"
    : ORDER.indexOf(next) > ORDER.indexOf(was);
}

/** The messages with what became of one of them; the same list where that is known. */
export function withState(messages: Message[], id: string, next: State): Message[] {
  const at = messages.findIndex((it) => it.message_id === id && it.direction === "OUT");
  const message = messages[at];
  if (message === undefined || !follows(message.state ?? "queued", next)) return messages;
  return messages.map((it) => (it === message ? { ...it, state: next } : it));
}

/** Messages, oldest first, as the lines of a chat. `dayOf` names the viewer's day of a moment. */
export function lines(messages: readonly Message[], dayOf: (at: string) => string): Line[] {
  const found: Line[] = [];
  let before: Message | undefined;
  for (const message of messages) {
    const isNewDay = before === undefined || dayOf(before.at) !== dayOf(message.at);
    if (isNewDay) found.push({ kind: "day", key: `day-${message.seq}`, at: message.at });
    const first = isNewDay || before === undefined || !sameTurn(before, message);
    found.push({ kind: "message", key: `message-${message.seq}`, message, first });
    before = message;
  }
  return found;
}

function sameTurn(a: Message, b: Message): boolean {
  const apart = Math.abs(new Date(b.at).getTime() - new Date(a.at).getTime());
  return a.direction === b.direction && apart < TURN_MS;
}

export type ChatView = Schemas["ConversationView"];

/** Chats of two pages together, the one that was written in last first; what is in both is as `fresh` has it. */
export function mergedChats(known: readonly ChatView[], fresh: readonly ChatView[]): ChatView[] {
  const all = new Map(known.map((chat) => [chat.chat, chat]));
  for (const chat of fresh) all.set(chat.chat, chat);
  return [...all.values()].sort((a, b) => b.last.seq - a.last.seq);
}

/** The chats that are known, without a hole, and where those after them are asked for. */
export interface KnownChats {
  chats: ChatView[];
  more: number | undefined;
}

/**
 * What is known after the first page of chats was asked for again. Where more chats have news than a page holds, what
 * was known is left out: what is between the two is loaded like any further page.
 */
export function renewedChats(
  known: KnownChats,
  page: { items: readonly ChatView[]; next?: number | null },
): KnownChats {
  const newest = known.chats[0]?.last.seq ?? 0;
  const oldest = page.items.at(-1)?.last.seq ?? 0;
  const next = page.next ?? undefined;
  if (next !== undefined && oldest > newest) {
    return { chats: mergedChats([], page.items), more: next };
  }
  return { chats: mergedChats(known.chats, page.items), more: known.more };
}
