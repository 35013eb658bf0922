/** A tenant's reply rules as the document has them (`docs/rules.md`). The server knows what is right. */
export interface RuleSet {
  business?: string;
  time_zone?: string;
  hours?: Hours[];
  variables?: Record<string, string>;
  opt_out?: OptOut;
  webhook?: { url: string };
  groups?: Groups;
  rules: Rule[];
}

export type Groups = "ignore" | "mentions" | "all";

export interface Hours {
  days: string[];
  from: string;
  to: string;
}

export interface OptOut {
  words?: string[];
  return_words?: string[];
  confirmation?: string;
  return_confirmation?: string;
}

export interface Rule {
  name: string;
  match?: Match;
  action: Action;
}

export interface Match {
  keywords?: string[];
  keyword_mode?: "word" | "contains" | "exact";
  regex?: string[];
  language?: string[];
  first_contact?: boolean;
  group?: boolean;
  media?: string[];
  hours?: "open" | "closed";
}

export interface MediaAction {
  url?: string;
  file?: string;
  kind: "image" | "video" | "audio" | "document";
  caption?: string;
}

export type Action =
  | { reply: string }
  | { media: MediaAction }
  | { hand_over: { minutes: number; reply?: string } }
  | "webhook"
  | "ignore";

export type ActionKind = "reply" | "media" | "hand_over" | "webhook" | "ignore";

export const ACTIONS: readonly ActionKind[] = ["reply", "hand_over", "media", "webhook", "ignore"];

/** The kind of an action; `undefined` for what this program does not know. */
export function kindOf(action: Action): ActionKind | undefined {
  const word = typeof action === "string" ? action : Object.keys(action)[0];
  return ACTIONS.find((kind) => kind === word);
}

/** An action of another kind; the text that was written goes along where there is a place for it. */
export function changedTo(kind: ActionKind, before: Action): Action {
  const text = textOf(before);
  switch (kind) {
    case "reply":
      return { reply: text };
    case "hand_over":
      return { hand_over: { minutes: 60, ...(text === "" ? {} : { reply: text }) } };
    case "media":
      return { media: { url: "", kind: "image", ...(text === "" ? {} : { caption: text }) } };
    default:
      return kind;
  }
}

/** What is written in an action for the customer. */
export function textOf(action: Action): string {
  if (typeof action === "string") return "";
  if ("reply" in action) return action.reply;
  if ("hand_over" in action) return action.hand_over.reply ?? "";
  if ("media" in action) return action.media.caption ?? "";
  return "";
}

/** An object with a field changed; without it where the value says nothing: `undefined`, an empty text or list. */
export function having<T extends object, Name extends keyof T & string>(
  object: T,
  name: Name,
  value: T[Name] | undefined,
): T {
  const rest = Object.entries(object).filter(([other]) => other !== name);
  const isNothing = value === undefined || value === "" || (Array.isArray(value) && !value.length);
  return Object.fromEntries(isNothing ? rest : [...rest, [name, value]]) as T;
}

/** The list with an entry moved by so many places. */
export function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const to = Math.max(0, Math.min(list.length - 1, from + by));
  const all = [...list];
  const [entry] = all.splice(from, 1);
  if (entry !== undefined) all.splice(to, 0, entry);
  return all;
}

/** The list with another entry in one place. */
export const replaced = <T>(list: readonly T[], at: number, entry: T): T[] =>
  list.map((it, index) => (index === at ? entry : it));

/** The list without the entry in one place. */
export const without = <T>(list: readonly T[], at: number): T[] =>
  list.filter((_, index) => index !== at);

/** A value without what says nothing: empty lists, texts and objects. Rules are kept, whatever is in them. */
function saying(value: unknown, isTop: boolean): unknown {
  if (Array.isArray(value)) return value.map((it) => saying(it, false));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, it]): [string, unknown] => [name, saying(it, false)])
    .filter(([name, it]) => (isTop && name === "rules") || !isNothing(it))
    .sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(entries);
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Whether two sets say the same, in whatever order and with whatever emptiness. */
export function isSame(a: RuleSet | undefined, b: RuleSet | undefined): boolean {
  const text = (set: RuleSet | undefined) =>
    set === undefined ? "" : JSON.stringify(saying(set, true));
  return text(a) === text(b);
}

/** A name that no rule has yet. */
export function freeName(rules: readonly Rule[], wish: string): string {
  const taken = new Set(rules.map(({ name }) => name));
  if (!taken.has(wish)) return wish;
  let number = 2;
  while (taken.has(`${wish} ${number}`)) number += 1;
  return `${wish} ${number}`;
}

/** A text with commas or line breaks between as a list. */
export const listed = (text: string): string[] =>
  text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export type Day = (typeof DAYS)[number];

/** The days that days and ranges such as `mon-fri` mean. */
export function daysOf(words: readonly string[]): Set<Day> {
  const found = new Set<Day>();
  for (const word of words) {
    const [first = "", last = first] = word
      .toLowerCase()
      .split("-")
      .map((it) => it.trim());
    const from = DAYS.findIndex((day) => day === first);
    const to = DAYS.findIndex((day) => day === last);
    if (from === -1 || to === -1) continue;
    for (let at = from; ; at = (at + 1) % DAYS.length) {
      const day = DAYS[at];
      if (day !== undefined) found.add(day);
      if (at === to) break;
    }
  }
  return found;
}

/** Days as a rule set writes them, neighbours as a range. */
export function daysWritten(days: ReadonlySet<Day>): string[] {
  const written: string[] = [];
  for (let at = 0; at < DAYS.length; at += 1) {
    let end = at;
    while (end < DAYS.length && days.has(DAYS[end] as Day)) end += 1;
    if (end === at) continue;
    if (end - at > 2) written.push(`${DAYS[at]}-${DAYS[end - 1]}`);
    else written.push(...DAYS.slice(at, end));
    at = end;
  }
  return written;
}
