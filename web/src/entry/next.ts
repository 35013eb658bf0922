/**
 * Where somebody goes after signing in: to the path that was asked for, if it is one of ours, else to the start.
 * Another host can be written in more ways than one, so the browser's own reading decides.
 */
export function nextPath(asked: string | null, origin: string): string {
  if (asked === null || !asked.startsWith("/")) return "/";
  let url: URL;
  try {
    url = new URL(asked, origin);
  } catch {
    return "/";
  }
  if (url.origin !== origin || url.pathname.startsWith("//")) return "/";
  // It would lead in a circle.
  if (url.pathname === "/sign-in") return "/";
  return url.pathname + url.search;
}
