/**
 * What a link holds behind its `#`. It is taken out of the address at once, so that it stays neither in the history
 * nor on the screen.
 */
export function takeSecret(): string {
  const secret = location.hash.slice(1);
  if (secret !== "") history.replaceState(null, "", location.pathname + location.search);
  return secret;
}
