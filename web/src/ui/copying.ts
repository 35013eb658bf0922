/**
 * Copies a text; `false` where the browser allows no way. A page that came over plain HTTP has no `navigator.clipboard`:
 * there it is selected and copied as by hand.
 */
export async function copied(text: string): Promise<boolean> {
  const { clipboard } = navigator as Partial<Navigator>;
  if (clipboard === undefined) return copiedBySelection(text);
  try {
    await clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

function copiedBySelection(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  field.readOnly = true;
  field.setAttribute("aria-hidden", "true");
  // What is beside an open dialog cannot be selected.
  (before?.closest("dialog") ?? document.body).append(field);
  field.select();
  try {
    // Old, but there is no other way over plain HTTP.
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}
