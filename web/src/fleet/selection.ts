/** The tenants that are selected, by their ids. */
export type Selection = ReadonlySet<string>;

/** The selection with one more, or without it. */
export function toggled(selection: Selection, id: string): Selection {
  const changed = new Set(selection);
  if (!changed.delete(id)) changed.add(id);
  return changed;
}

/**
 * The selection with all from one row to another, whichever stands first, made as the row that was clicked is to be. A
 * row that is not listed any more begins nothing: then it is the one row alone.
 */
export function ranged(
  selection: Selection,
  listed: readonly { id: string }[],
  from: string,
  to: string,
): Selection {
  const [one, other] = [from, to].map((id) => listed.findIndex((row) => row.id === id));
  if (one === undefined || other === undefined || one < 0 || other < 0) {
    return toggled(selection, to);
  }
  const changed = new Set(selection);
  const wanted = !selection.has(to);
  for (const { id } of listed.slice(Math.min(one, other), Math.max(one, other) + 1)) {
    if (wanted) changed.add(id);
    else changed.delete(id);
  }
  return changed;
}

/** The selection without tenants that are no more. */
export function existing(selection: Selection, rows: ReadonlyMap<string, unknown>): Selection {
  for (const id of selection) {
    if (!rows.has(id)) return new Set([...selection].filter((it) => rows.has(it)));
  }
  return selection;
}
