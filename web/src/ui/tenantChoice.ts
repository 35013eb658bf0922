interface Named {
  id: string;
  name: string;
  slug: string;
}

/** The most tenants that are offered at once. */
const MOST = 30;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const bare = (text: string): string => text.trim().toLowerCase();

/** The tenants that what was written may mean: those that begin with it first. */
export function matching<T extends Named>(tenants: readonly T[], written: string): T[] {
  const text = bare(written);
  if (text === "") return tenants.slice(0, MOST);
  const begin: T[] = [];
  const hold: T[] = [];
  for (const tenant of tenants) {
    const [name, slug] = [bare(tenant.name), tenant.slug];
    if (name.startsWith(text) || slug.startsWith(text)) begin.push(tenant);
    else if (name.includes(text) || slug.includes(text)) hold.push(tenant);
    if (begin.length === MOST) break;
  }
  return [...begin, ...hold].slice(0, MOST);
}

/**
 * The id of the tenant that was written: by its short name, its whole name where no other has it, or any id (of one
 * that is deleted, perhaps). "" for nothing written; `undefined` where none is meant.
 */
export function meant(tenants: readonly Named[], written: string): string | undefined {
  const text = bare(written);
  if (text === "" || UUID.test(text)) return text;
  const bySlug = tenants.find(({ slug }) => slug === text);
  if (bySlug !== undefined) return bySlug.id;
  const byName = tenants.filter(({ name }) => bare(name) === text);
  return byName.length === 1 ? byName[0]?.id : undefined;
}
