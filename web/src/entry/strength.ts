/** How hard a password is to guess. */
export type Strength = "short" | "weak" | "fair" | "good";

/** The fewest characters that the server takes. */
export const SHORTEST = 12;
/** The most. */
export const LONGEST = 128;

const COMMON = /^(.)\1*$|password|nenosiri|qwerty|asdfgh|letmein|welcome|karibu|123456|abcdef/i;

/**
 * A rough judgement, as a hint: length counts most, for a sentence is both easy to keep and hard to guess. Repetition,
 * what everybody takes, and what stands in the account itself (`own`: name, address) count against it.
 */
export function strength(password: string, own: readonly string[] = []): Strength {
  if ([...password].length < SHORTEST) return "short";
  const distinct = new Set(password.toLowerCase()).size;
  const small = password.toLowerCase();
  const parts = own.flatMap((it) => it.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  const isOwn = parts.some((part) => part.length > 3 && small.includes(part));
  if (distinct < 6) return "weak";
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u];
  const variety = kinds.filter((kind) => kind.test(password)).length;
  let points = [...password].length + variety * 2;
  if (isOwn || COMMON.test(password)) points -= 10;
  if (distinct < 9) points -= 4;
  if (points < 15) return "weak";
  return points < 22 ? "fair" : "good";
}
