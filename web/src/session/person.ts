/**
 * Who must know that the person at the page is another one, or comes back. Pages and stores register here, so that the
 * session need not know them.
 */
const forgetting = new Set<() => void>();
const returning = new Set<() => void>();
const questions = new Set<() => Promise<boolean>>();

function joined<T>(set: Set<T>, one: T): () => void {
  set.add(one);
  return () => void set.delete(one);
}

/** Has `forget` called when what was kept of one person must not reach the next; until the answer is called. */
export const whenPersonChanges = (forget: () => void): (() => void) => joined(forgetting, forget);

/** Has `resume` called when the person whose session had ended is signed in again; until the answer is called. */
export const whenBack = (resume: () => void): (() => void) => joined(returning, resume);

/** Has `ask` asked before somebody signs out: it answers whether they may go; until the answer is called. */
export const askBeforeSigningOut = (ask: () => Promise<boolean>): (() => void) =>
  joined(questions, ask);

/** Has everything forget the person. */
export function forgetPerson(): void {
  for (const forget of forgetting) forget();
}

/** Has everything go on. */
export function welcomeBack(): void {
  for (const resume of [...returning]) resume();
}

/** Whether nobody minds a sign-out. The first who minds ends it. */
export async function maySignOut(): Promise<boolean> {
  for (const ask of questions) if (!(await ask())) return false;
  return true;
}
