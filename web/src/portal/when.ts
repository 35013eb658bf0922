import type { Key } from "../i18n/language.svelte";
import type { Rule } from "./document";

/** A condition in words: a text's name and what stands in its places. */
export interface Condition {
  key: Key;
  values?: Record<string, string>;
}

const list = (value: unknown, word = (it: string): string => it): string =>
  (Array.isArray(value) ? value : [value]).map((it) => word(String(it))).join(", ");

/** Finds a text by a name that the server may add to, or answers with what stands for it. */
type Named = (key: string, otherwise: string) => string;

/** When a rule's text is sent, condition by condition; they all must hold. `named` has words for what a rule names. */
export function when({ match }: Rule, named: Named): Condition[] {
  const conditions = Object.entries(match ?? {}).flatMap(([name, value]) =>
    inWords(name, value, named),
  );
  return conditions.length === 0 ? [{ key: "portal.when.anything" }] : conditions;
}

function inWords(name: string, value: unknown, named: Named): Condition[] {
  const words = (area: string) => list(value, (it) => named(`rules.${area}.${it}`, it));
  switch (name) {
    case "keywords":
      return [{ key: "portal.when.keywords", values: { words: list(value) } }];
    case "regex":
      return [{ key: "portal.when.pattern" }];
    case "language":
      return [{ key: "portal.when.language", values: { languages: words("language") } }];
    case "first_contact":
      return [{ key: value === true ? "portal.when.first" : "portal.when.notFirst" }];
    case "group":
      return value === true ? [{ key: "portal.when.group" }] : [];
    case "media":
      // A text is what everybody expects.
      return isText(value) ? [] : [{ key: "portal.when.media", values: { kinds: words("media") } }];
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
