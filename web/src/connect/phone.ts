/**
 * A number as somebody types it, in E.164 form: `+` and 8 to 15 digits, the first of which is not 0. `""` where nothing
 * was typed, `undefined` where it is no such number: one without its country's code, say.
 */
export function phoneNumber(typed: string): string | undefined {
  if (typed.trim() === "") return "";
  // What people put between digits; `00` is what is dialled for the plus.
  const bare = typed.replace(/[\s().\-/\u2010-\u2013]/g, "").replace(/^(\+|00)/, "");
  return /^[1-9]\d{7,14}$/.test(bare) ? `+${bare}` : undefined;
}
