/** Where the page is; what of the address the pages look at. */
const here = $state({ path: location.pathname, search: location.search });

/** Who wants to be asked before another page is shown, because something would be lost by that. */
const asked = new Set<() => Promise<boolean>>();

/** Has `ask` asked before another page is shown, until the answer is called. Of many, one is asked for all. */
export function askBeforeLeaving(ask: () => Promise<boolean>): () => void {
  asked.add(ask);
  return () => void asked.delete(ask);
}

/** Whether the page may be left: who would lose something by it is asked. */
export async function mayLeave(): Promise<boolean> {
  const [ask] = asked;
  return ask === undefined || (await ask());
}

/** Loads the program anew, without asking: what is unsaved is of somebody who is not here any more. */
export function startAnew(to: string): void {
  asked.clear();
  addEventListener("beforeunload", (event) => event.stopImmediatePropagation(), { capture: true });
  location.assign(to);
}

async function leave(url: URL): Promise<void> {
  if (!(await mayLeave())) return;
  asked.clear();
  show(url, false);
}

addEventListener("popstate", () => {
  if (asked.size > 0 && location.pathname !== here.path) {
    const wanted = new URL(location.href);
    // The browser has gone already: back to where the page still is.
    history.pushState(null, "", here.path + here.search);
    void leave(wanted);
    return;
  }
  here.path = location.pathname;
  here.search = location.search;
});

/** The path of the page that is shown. */
export const path = (): string => here.path;

/** The path with what stands behind it. */
export const address = (): string => here.path + here.search;

/** What stands behind the question mark. */
export const query = (): URLSearchParams => new URLSearchParams(here.search);

/** Shows another page, without loading anew. */
export function go(to: string, { replace = false } = {}): void {
  const url = new URL(to, location.href);
  // What replaces an address is the program's own doing, such as after a sign-out.
  if (asked.size > 0 && !replace && url.pathname !== here.path) void leave(url);
  else show(url, replace);
}

function show(url: URL, replace: boolean): void {
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
