/** A text with places like `{name}` in it, or one for each plural form of `{n}`. */
export type Message = string | { readonly one: string; readonly other: string };

/** What stands in a text's places. */
export type Values = Readonly<Record<string, string | number>>;

const PLACE = /\{(\w+)\}/g;

/** The text with its places filled; numbers are written as the language does. */
export function fill(message: Message, language: string, values: Values = {}): string {
  const text = typeof message === "string" ? message : form(message, language, values["n"]);
  return text.replace(PLACE, (place, name: string) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? value.toLocaleString(language) : value;
  });
}

function form(
  message: Exclude<Message, string>,
  language: string,
  n: string | number | undefined,
): string {
  const which = new Intl.PluralRules(language).select(Number(n ?? 0));
  return which === "one" ? message.one : message.other;
}
