/** The first wait, in milliseconds. */
const FIRST = 500;
/** The longest wait, in milliseconds. */
const LONGEST = 15_000;

/**
 * How long to wait before the next try, in milliseconds: twice as long each time, and anywhere between half of it and
 * all, so that a thousand browsers do not come back at once. `chance` is from 0 to 1.
 */
export function pause(failures: number, chance: number): number {
  const whole = Math.min(LONGEST, FIRST * 2 ** Math.max(0, failures - 1));
  return whole / 2 + (whole / 2) * chance;
}
