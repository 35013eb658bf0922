/** What the server says is wrong, by its place in the document. */
export type Mistakes = ReadonlyMap<string, string>;

/** Whether a path is at a place or within it. */
const isWithin = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);

/** What is wrong at a place or within it, without what stands beside one of the fields in `shown`. */
export function within(mistakes: Mistakes, place: string, shown: readonly string[] = []): string[] {
  return [...mistakes]
    .filter(([path]) => isWithin(path, place) && !shown.some((field) => isWithin(path, field)))
    .map(([, message]) => message);
}

/** What is wrong at a place or within it, as the text beside its field. */
export function beside(mistakes: Mistakes, place: string): string | undefined {
  const found = within(mistakes, place);
  return found.length === 0 ? undefined : found.join("\n");
}
