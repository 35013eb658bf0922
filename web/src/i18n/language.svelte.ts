import en from "./en";
import { fill, type Message, type Values } from "./message";

/** A text's name. */
export type Key = keyof typeof en;

/** Languages by their code, each with its own name. English is part of the program, others are loaded. */
export const LANGUAGES = { en: "English", sw: "Kiswahili" } as const;

export type Language = keyof typeof LANGUAGES;

const LOADERS: Record<Exclude<Language, "en">, () => Promise<{ default: Record<Key, Message> }>> = {
  sw: () => import("./sw"),
};

/** Where the choice is kept. */
const CHOICE = "tenantry.language";

let language = $state<Language>("en");
let messages = $state.raw<Record<Key, Message>>(en);

const isLanguage = (code: string | null | undefined): code is Language =>
  code !== null && code !== undefined && code in LANGUAGES;

/** The language of the page. */
export const currentLanguage = (): Language => language;

/** The language as it is written where the viewer is: with the region that the browser names, if it names one. */
export const currentLocale = (): string =>
  navigator.languages.find((it) => it.slice(0, 2) === language) ?? language;

/** A text in the language of the page. */
export function t(key: Key, values?: Values): string {
  return fill(messages[key], currentLocale(), values);
}

/** Whether there is such a text; for names that the server may add to. */
export const isKey = (key: string): key is Key => key in en;

/** A text by a name that the server may add to, or `otherwise`. */
export function tOr(key: string, otherwise: string, values?: Values): string {
  return isKey(key) ? t(key, values) : otherwise;
}

/** Shows the page in another language, and remembers it. */
export async function chooseLanguage(chosen: Language): Promise<void> {
  localStorage.setItem(CHOICE, chosen);
  await show(chosen);
}

/** The language that was chosen here, or the browser's, if it is one of ours. */
export async function startLanguage(): Promise<void> {
  const wished = [localStorage.getItem(CHOICE), ...navigator.languages.map((it) => it.slice(0, 2))];
  await show(wished.find(isLanguage) ?? "en");
}

async function show(chosen: Language): Promise<void> {
  messages = chosen === "en" ? en : (await LOADERS[chosen]()).default;
  language = chosen;
  document.documentElement.lang = chosen;
}
