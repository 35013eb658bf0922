import type { Hours } from "./hours";

/** One rule of the rules document; see `docs/rules.md`. */
export interface Rule {
  name: string;
  match?: Readonly<Record<string, unknown>>;
  action: unknown;
}

/** The rules document, as far as the portal reads it; what else is in it stays as it is. */
export interface RulesDocument {
  time_zone?: string;
  hours?: Hours[];
  rules: Rule[];
  readonly [more: string]: unknown;
}

/** A text that customers get, and where it stands. */
export interface Text {
  /** The rule's place in the document. */
  index: number;
  /** Where in the rule's action it stands. */
  place: "reply" | "hand_over" | "media";
  rule: Rule;
  text: string;
}

/** The name of the rule that stands for the greeting of a tenant without rules. */
const GREETING = "greeting";
/** The name of the rule that answers while the business is closed. */
const CLOSED = "closed";

type Parts = Readonly<Record<string, unknown>>;

const isParts = (value: unknown): value is Parts =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the server stores, as a document. */
export function documentOf(stored: unknown): RulesDocument | undefined {
  if (!isParts(stored)) return undefined;
  const rules = Array.isArray(stored["rules"]) ? (stored["rules"] as Rule[]) : [];
  return { ...stored, rules };
}

/** The document that does what a greeting alone does. */
export function greetingDocument(greeting: string): RulesDocument {
  const reply = greeting.replace(/[{}]/g, "$&$&");
  return { rules: [{ name: GREETING, match: { media: ["text"] }, action: { reply } }] };
}

/** The greeting that does all that a document does, if a greeting alone can: it has no variables, and no hours. */
export function greetingOf(document: RulesDocument): string | undefined {
  const [only, ...others] = document.rules;
  if (only?.name !== GREETING || others.length > 0 || (document.hours ?? []).length > 0) {
    return undefined;
  }
  const text = textOf(only.action)?.text ?? "";
  const plain = text.replace(/\{\{|\}\}/g, "");
  return /[{}]/.test(plain) ? undefined : text.replace(/(\{|\})\1/g, "$1");
}

/** The texts that customers get, in the order in which they are tried. */
export function textsOf(document: RulesDocument): Text[] {
  return document.rules.flatMap((rule, index) => {
    const found = textOf(rule.action);
    return found === undefined ? [] : [{ index, rule, ...found }];
  });
}

function textOf(action: unknown): Pick<Text, "place" | "text"> | undefined {
  if (!isParts(action)) return undefined;
  if (typeof action["reply"] === "string") return { place: "reply", text: action["reply"] };
  for (const [place, field] of [
    ["hand_over", "reply"],
    ["media", "caption"],
  ] as const) {
    const parts = action[place];
    if (isParts(parts) && typeof parts[field] === "string") return { place, text: parts[field] };
  }
  return undefined;
}

/** The document with another text in a rule's place; all else is the same. */
export function withText(
  document: RulesDocument,
  { index, place }: Pick<Text, "index" | "place">,
  text: string,
): RulesDocument {
  const rules = document.rules.map((rule, at) => {
    if (at !== index || !isParts(rule.action)) return rule;
    return { ...rule, action: withPart(rule.action, place, text) };
  });
  return { ...document, rules };
}

function withPart(action: Parts, place: Text["place"], text: string): Parts {
  if (place === "reply") return { ...action, reply: text };
  const parts = isParts(action[place]) ? action[place] : {};
  return { ...action, [place]: { ...parts, [place === "media" ? "caption" : "reply"]: text } };
}

/** The zone of the document's opening hours; `here` where it has neither. */
export const zoneOf = ({ time_zone, hours }: RulesDocument, here: string): string =>
  time_zone ?? ((hours ?? []).length > 0 ? "UTC" : here);

/** The document with other opening hours; without any, the zone stays for times in texts. */
export function withHours(document: RulesDocument, hours: Hours[], zone: string): RulesDocument {
  const changed = { ...document };
  if (zone !== "") changed.time_zone = zone;
  if (hours.length > 0) changed.hours = hours;
  else delete changed.hours;
  return changed;
}

/** The texts besides what is said while the business is closed. */
export const openTextsOf = (document: RulesDocument): Text[] =>
  textsOf(document).filter(({ index }) => index !== closedAt(document));

/** Where the answer to everything while the business is closed stands, or -1. */
function closedAt(document: RulesDocument): number {
  return document.rules.findIndex(({ match, action }) => {
    const conditions = Object.entries(match ?? {});
    const only = conditions.length === 1 && conditions[0]?.[0] === "hours";
    return only && conditions[0]?.[1] === "closed" && textOf(action)?.place === "reply";
  });
}

/** What customers get while the business is closed; empty where there is nothing of the kind. */
export function closedText(document: RulesDocument): string {
  const rule = document.rules[closedAt(document)];
  return rule === undefined ? "" : (textOf(rule.action)?.text ?? "");
}

/**
 * The document with another answer while the business is closed. A new one stands before the rule that matches
 * everything, which would keep it from ever being tried; an empty text takes it away.
 */
export function withClosedText(document: RulesDocument, text: string): RulesDocument {
  const at = closedAt(document);
  const rules = [...document.rules];
  const known = rules[at];
  if (known !== undefined) {
    if (text === "") rules.splice(at, 1);
    else return withText(document, { index: at, place: "reply" }, text);
  } else if (text !== "") {
    const rule = { name: freeName(rules), match: { hours: "closed" }, action: { reply: text } };
    const last = rules.findIndex(matchesMost);
    rules.splice(last === -1 ? rules.length : last, 0, rule);
  }
  return { ...document, rules };
}

/** Whether a rule leaves little for those after it. */
function matchesMost({ name, match }: Rule): boolean {
  return Object.keys(match ?? {}).length === 0 || name === GREETING;
}

function freeName(rules: readonly Rule[]): string {
  const taken = new Set(rules.map(({ name }) => name));
  let name = CLOSED;
  for (let count = 2; taken.has(name); count += 1) name = `${CLOSED} ${count}`;
  return name;
}

/** Whether two documents say the same. */
export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
