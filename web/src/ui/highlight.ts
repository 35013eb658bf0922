/** A piece of a text, and whether it is what was searched for. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** Cuts a text at what is searched for, in capitals or not; an empty search finds nothing. */
export function pieces(text: string, sought: string): Piece[] {
  const needle = sought.toLowerCase();
  const hay = text.toLowerCase();
  // Few letters change their length in capitals; then no place in one is a place in the other.
  if (needle === "" || hay.length !== text.length) return [{ text, hit: false }];
  const found: Piece[] = [];
  let from = 0;
  for (let at = hay.indexOf(needle); at !== -1; at = hay.indexOf(needle, from)) {
    if (at > from) found.push({ text: text.slice(from, at), hit: false });
    from = at + needle.length;
    found.push({ text: text.slice(at, from), hit: true });
  }
  if (from < text.length || found.length === 0) found.push({ text: text.slice(from), hit: false });
  return found;
}
