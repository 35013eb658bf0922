/** The values of a pattern's places. */
export type Params = Readonly<Record<string, string>>;

/** Holds a path against a pattern such as `/tenants/:tenant/:part?`; `undefined` where it is another one. */
export function match(pattern: string, path: string): Params | undefined {
  const wanted = pattern.split("/").filter(Boolean);
  const given = path.split("/").filter(Boolean);
  if (given.length > wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index];
    const optional = part.endsWith("?");
    if (value === undefined) {
      if (optional) continue;
      return undefined;
    }
    if (!part.startsWith(":")) {
      if (part !== value) return undefined;
      continue;
    }
    try {
      params[part.slice(1, optional ? -1 : undefined)] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return params;
}
