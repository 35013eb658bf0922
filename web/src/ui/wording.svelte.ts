import type { Problem } from "../api/problem";
import { t, tOr } from "../i18n/language.svelte";

/** What a problem says to a person: our own words where there are some for its code, else the server's. */
export function wording(problem: Problem): string {
  if (problem.code === "unreachable") return t("problem.unreachable");
  return tOr(`problem.${problem.code}`, problem.message);
}
