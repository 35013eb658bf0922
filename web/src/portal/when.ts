import type { Key } from "../i18n/language.svelte";
import type { Rule } from "./document";

/** A condition in words: a text's name and what stands in its places. */
export interface Condition {
  key: Key;
  values?: Record<string, string>;
}

const list = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(", ") : String(value);

/** When a rule's text is sent, condition by condition; they all must hold. */
export function when({ match }: Rule): Condition[] {
  const conditions = Object.entries(match ?? {}).flatMap(([name, value]) => inWords(name, value));
  return conditions.length === 0 ? [{ key: "portal.when.anything" }] : conditions;
}

function inWords(name: string, value: unknown): Condition[] {
  switch (name) {
    case "keywords":
      return [{ key: "portal.when.keywords", values: { words: list(value) } }];
    case "regex":
      return [{ key: "portal.when.pattern" }];
    case "language":
      return [{ key: "portal.when.language", values: { languages: list(value) } }];
    case "first_contact":
      return [{ key: value === true ? "portal.when.first" : "portal.when.notFirst" }];
    case "group":
      return value === true ? [{ key: "portal.when.group" }] : [];
    case "media":
      // A text is what everybody expects.
      return isText(value) ? [] : [{ key: "portal.when.media", values: { kinds: list(value) } }];
    case "hours":
      return [{ key: value === "closed" ? "portal.when.closed" : "portal.when.open" }];
    case "keyword_mode":
      return [];
    default:
      return [{ key: "portal.when.more" }];
  }
}

const isText = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 1 && value[0] === "text";
