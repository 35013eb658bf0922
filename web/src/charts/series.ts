/** A line of a chart. */
export interface Series {
  label: string;
  /** The colour, by the name of its variable. */
  tone: "brand-strong" | "info" | "warn" | "calm" | "bad";
  /** A value for each moment; `null` where nothing is known. */
  values: readonly (number | null)[];
}

/** What a chart shows, in words. */
export function summary(
  title: string,
  series: readonly Series[],
  format: (value: number) => string,
): string {
  const lines = series.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    const last = known.at(-1);
    if (last === undefined) return `${label}: –`;
    const [least, most] = [Math.min(...known), Math.max(...known)];
    return `${label}: ${format(last)} (${format(least)} – ${format(most)})`;
  });
  return `${title}. ${lines.join(". ")}`;
}
