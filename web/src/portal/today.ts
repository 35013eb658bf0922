import type { Schemas } from "../api/client";

type Message = Pick<Schemas["MessageView"], "seq" | "at" | "direction">;

/** How many messages are looked at at most. */
export const COUNTED = 500;

/** Messages on a page: enough for what comes in a minute, and for most days. */
const PAGE = 50;

/** The newest messages that were looked at, newest first. */
export interface Looked {
  messages: readonly Message[];
  /** Whether there are older ones that were not looked at, because there are too many. */
  isCut: boolean;
}

export const NOTHING: Looked = { messages: [], isCut: false };

/** What happened today: `more` when there were more than were looked at. */
export interface Today {
  received: number;
  sent: number;
  more: boolean;
}

/**
 * Looks at what came since: page by page back to what is known, or to `midnight`. So a day is read once, and a minute
 * without a message costs one small page.
 */
export async function withNews(
  known: Looked,
  midnight: number,
  ask: (query: {
    limit: number;
    before?: number;
  }) => Promise<{ items: readonly Message[]; next?: number | null }>,
): Promise<Looked> {
  const newest = known.messages[0]?.seq ?? 0;
  const fresh: Message[] = [];
  let before: number | undefined;
  let isMet: boolean;
  do {
    const page = await ask({ limit: PAGE, ...(before === undefined ? {} : { before }) });
    fresh.push(...page.items.filter(({ seq }) => seq > newest));
    before = page.next ?? undefined;
    isMet = page.items.some((it) => it.seq <= newest || !isSince(it, midnight));
  } while (before !== undefined && !isMet && fresh.length < COUNTED);
  const isWhole = before === undefined || isMet;
  const all = isWhole ? [...fresh, ...known.messages] : fresh;
  const isCut = !isWhole || known.isCut || all.length > COUNTED;
  return { messages: all.slice(0, COUNTED), isCut };
}

/** Counts today's messages among those that were looked at; `midnight` is when the viewer's day began. */
export function today({ messages, isCut }: Looked, midnight: number): Today {
  const now = messages.filter((it) => isSince(it, midnight));
  const sent = now.filter(({ direction }) => direction === "OUT").length;
  return { received: now.length - sent, sent, more: isCut && now.length === messages.length };
}

const isSince = ({ at }: Message, moment: number): boolean => new Date(at).getTime() >= moment;
