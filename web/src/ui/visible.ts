/** Rows beyond the edges that are there already when somebody scrolls. */
const BEYOND = 8;

/** Which rows are in sight: from the first to before the last. */
export function visible(
  top: number,
  height: number,
  rowHeight: number,
  count: number,
): { from: number; to: number } {
  const first = Math.floor(Math.max(0, top) / rowHeight) - BEYOND;
  const from = Math.max(0, Math.min(first, count - 1));
  const to = Math.min(count, Math.ceil((Math.max(0, top) + height) / rowHeight) + BEYOND);
  return { from, to: Math.max(from, to) };
}
