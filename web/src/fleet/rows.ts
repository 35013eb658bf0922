import type { Schemas } from "../api/client";

/** A tenant in one row of a long list. */
export type Row = Schemas["FleetRow"];

/** What changed of the rows. */
export type Changes = Schemas["FleetChanges"];

/** Every tenant's row by its id, oldest tenant first. */
export type Rows = Map<string, Row>;

/** All rows, as they were fetched. */
export const rowsOf = (items: readonly Row[]): Rows => new Map(items.map((row) => [row.id, row]));

/** Takes in what changed. A row that did not change stays the very same object, so that nothing of it is drawn anew. */
export function take(rows: Rows, { changed, removed }: Changes): void {
  for (const id of removed) rows.delete(id);
  for (const row of changed) rows.set(row.id, row);
}
