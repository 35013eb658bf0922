import { answered, api } from "../api/client";

/** A tenant, as much of it as a list of names needs. */
export interface Named {
  id: string;
  name: string;
  slug: string;
}

/** A name that is not known is not asked for again before so many milliseconds. */
const PATIENCE_MS = 30_000;

let list = $state.raw<readonly Named[]>([]);
const byId = $derived(new Map(list.map((tenant) => [tenant.id, tenant])));

let askedAt = 0;
let asking: Promise<void> | undefined;

/** All tenants whose names are known, in the order of their names. */
export const namedTenants = (): readonly Named[] => list;

/** The tenant with an id, if its name is known. */
export const namedTenant = (id: string): Named | undefined => byId.get(id);

/** Fetches the names, unless that was done a moment ago. Without an answer ids stand in for them. */
export function loadTenantNames(): Promise<void> {
  if (asking !== undefined) return asking;
  if (Date.now() - askedAt < PATIENCE_MS) return Promise.resolve();
  askedAt = Date.now();
  asking = fetchNames().finally(() => (asking = undefined));
  return asking;
}

async function fetchNames(): Promise<void> {
  try {
    const { items } = await answered(api.GET("/admin/fleet/tenants"));
    list = items
      .map(({ id, name, slug }) => ({ id, name, slug }))
      .sort((one, other) => one.name.localeCompare(other.name));
  } catch {
    // A list without names can still be read.
  }
}
