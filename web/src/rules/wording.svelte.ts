import { t, tOr } from "../i18n/language.svelte";
import type { Match } from "./ruleSet";

/** A rule's conditions in words, for who reads the list. */
export function conditions(match: Match = {}): string[] {
  const said: string[] = [];
  const { keywords = [], regex = [], language = [], media = [] } = match;
  if (keywords.length > 0) said.push(t("rules.when.words", { words: keywords.join(", ") }));
  if (regex.length > 0) said.push(t("rules.when.regex", { n: regex.length }));
  if (language.length > 0) {
    const names = language.map((it) => tOr(`rules.language.${it}`, it));
    said.push(t("rules.when.language", { names: names.join(", ") }));
  }
  if (media.length > 0) {
    const names = media.map((it) => tOr(`rules.media.${it}`, it));
    said.push(t("rules.when.media", { names: names.join(", ") }));
  }
  if (match.hours !== undefined) said.push(t(`rules.when.${match.hours}`));
  if (match.first_contact !== undefined) {
    said.push(t(match.first_contact ? "rules.when.first" : "rules.when.again"));
  }
  if (match.group !== undefined)
    said.push(t(match.group ? "rules.when.group" : "rules.when.direct"));
  return said.length === 0 ? [t("rules.when.always")] : said;
}
