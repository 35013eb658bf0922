/** The fewest characters of a password. */
export const SHORTEST = 12;
/** The most. */
export const LONGEST = 128;

/** What is wrong with a new password before it is sent. */
export type PasswordFault = "short" | "long" | "same" | "different";

/** Looks at a new password; it is written twice, so that a slip does not lock its owner out. */
export function passwordFault(
  current: string,
  wanted: string,
  again: string,
): PasswordFault | undefined {
  const length = [...wanted].length;
  if (length < SHORTEST) return "short";
  if (length > LONGEST) return "long";
  if (wanted === current) return "same";
  if (wanted !== again) return "different";
  return undefined;
}

/** A secret in groups of four, as it is easiest to type. */
export const grouped = (secret: string): string => secret.replace(/(.{4})(?=.)/g, "$1 ");

/** The digits of a code, however it was written: authenticators show `123 456`. */
export const digitsOf = (code: string): string => code.replace(/\D/g, "").slice(0, 6);
