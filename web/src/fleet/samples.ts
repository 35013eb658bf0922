import type { Schemas } from "../api/client";

/** The fleet at one moment. */
export type Sample = Schemas["FleetSample"];

/** An hour of samples, ten seconds apart; older ones go. */
export const MOST = 360;

/** More than this between two samples, in milliseconds, means that some were missed. */
const GAP = 25_000;

const at = (sample: Sample): number => new Date(sample.at).getTime();

/** The samples with one more at their end, if it is newer than all of them. */
export function withNewest(samples: readonly Sample[], newest: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && at(newest) <= at(last)) return samples;
  return [...samples.slice(Math.max(0, samples.length + 1 - MOST)), newest];
}

/** Whether samples are missing before one: the page was asleep, say. */
export function isGap(samples: readonly Sample[], newest: Sample): boolean {
  const last = samples.at(-1);
  return last !== undefined && at(newest) - at(last) > GAP;
}

/** So many samples are a minute. */
const MINUTE = 6;

/**
 * For each sample the sum of the last minute's, so that a curve shows a rate and not the rhythm of the samples. Where
 * older ones have gone, the first minute is not known whole: `null`.
 */
export function perMinute(
  samples: readonly Sample[],
  of: (sample: Sample) => number,
): (number | null)[] {
  const rates: (number | null)[] = [];
  const cut = samples.length >= MOST;
  let [sum, first] = [0, 0];
  for (const [index, sample] of samples.entries()) {
    sum += of(sample);
    while (index - first >= MINUTE) {
      const gone = samples[first];
      if (gone !== undefined) sum -= of(gone);
      first += 1;
    }
    rates.push(cut && index < MINUTE - 1 ? null : sum);
  }
  return rates;
}
