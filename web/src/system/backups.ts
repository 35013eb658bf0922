/** The public keys (of age) in a text, one in a line or with commas or spaces between. */
export function recipientsOf(text: string): { keys: string[]; wrong?: string } {
  const keys = text.split(/[\s,]+/).filter((it) => it !== "");
  const wrong = keys.find((it) => !/^age1[0-9a-z]{20,}$/.test(it));
  return { keys, ...(wrong === undefined ? {} : { wrong }) };
}

const inShell = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

/** The command that restores a backup on the server's machine. */
export function restoreCommand(
  home: string,
  { name, encrypted }: { name: string; encrypted: boolean },
): string {
  const file = inShell(`${home.replace(/\/$/, "")}/backups/${name}`);
  return `tenantry restore ${file}${encrypted ? " --identity key.txt" : ""}`;
}
