import { answered, api } from "../api/client";
import { whenPersonChanges } from "../session/person";

/** A tenant, as much of it as a list of names needs. */
export interface Named {
  id: string;
  name: string;
  slug: string;
}

/** Names are fetched no more often than so, in milliseconds: in a storm of events each may be of a new tenant. */
const PACE_MS = 3000;

let list = $state.raw<readonly Named[]>([]);
const byId = $derived(new Map(list.map((tenant) => [tenant.id, tenant])));

/** Ids that have no name: their tenants are deleted. */
const nameless = new Set<string>();
const wanted = new Set<string>();
let fetchedAt = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<void> | undefined;

/** Grows when the names are forgotten: an answer that comes later is for somebody else. */
let life = 0;

whenPersonChanges(() => {
  life += 1;
  clearTimeout(waiting);
  waiting = undefined;
  asking = undefined;
  list = [];
  nameless.clear();
  wanted.clear();
});

/** All tenants whose names are known, in the order of their names. */
export const namedTenants = (): readonly Named[] => list;

/** The tenant with an id, if its name is known. */
export const namedTenant = (id: string): Named | undefined => byId.get(id);

/** Fetches the names. Without an answer ids stand in for them. */
export function loadTenantNames(): Promise<void> {
  if (asking !== undefined) return asking;
  const mine = life;
  asking = fetchNames().finally(() => {
    if (mine === life) asking = undefined;
  });
  return asking;
}

/** Has the names of these tenants be known soon, if they are not. */
export function wantTenantNames(ids: Iterable<string>): void {
  for (const id of ids) if (!byId.has(id) && !nameless.has(id)) wanted.add(id);
  if (wanted.size === 0 || waiting !== undefined) return;
  waiting = setTimeout(
    () => {
      waiting = undefined;
      void loadTenantNames();
    },
    Math.max(0, fetchedAt + PACE_MS - Date.now()),
  );
}

async function fetchNames(): Promise<void> {
  const asked = [...wanted];
  const mine = life;
  fetchedAt = Date.now();
  try {
    const { items } = await answered(api.GET("/admin/fleet/tenants"));
    if (mine !== life) return;
    list = items
      .map(({ id, name, slug }) => ({ id, name, slug }))
      .sort((one, other) => one.name.localeCompare(other.name));
    for (const id of asked) {
      wanted.delete(id);
      if (!byId.has(id)) nameless.add(id);
    }
  } catch {
    // A list without names can still be read.
  }
}
