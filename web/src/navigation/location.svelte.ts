/** Where the page is; what of the address the pages look at. */
const here = $state({ path: location.pathname, search: location.search });

addEventListener("popstate", () => {
  here.path = location.pathname;
  here.search = location.search;
});

/** The path of the page that is shown. */
export const path = (): string => here.path;

/** What stands behind the question mark. */
export const query = (): URLSearchParams => new URLSearchParams(here.search);

/** Shows another page, without loading anew. */
export function go(to: string, { replace = false } = {}): void {
  const url = new URL(to, location.href);
  history[replace ? "replaceState" : "pushState"](null, "", url);
  here.path = url.pathname;
  here.search = url.search;
  if (!replace) scrollTo(0, 0);
}

/** Keeps a choice of the page in its address, so that it outlives a reload and can be sent to somebody. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const changed = query();
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") changed.delete(name);
    else changed.set(name, value);
  }
  const search = changed.toString();
  go(here.path + (search === "" ? "" : `?${search}`), { replace: true });
}

/** Has a click on one of our own links show the page without loading anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = event.target instanceof Element ? event.target.closest("a") : null;
  if (anchor === null || anchor.target !== "" || anchor.hasAttribute("download")) return;
  if (anchor.origin !== location.origin || anchor.dataset["outside"] !== undefined) return;
  // A jump within the page is the browser's.
  if (anchor.pathname === location.pathname && anchor.hash !== "") return;
  event.preventDefault();
  go(anchor.href);
}
