import type { Problem } from "../api/problem";

/** What the code of a problem is when nobody named one: the answer was no problem document of the server's. */
const UNTOLD = "unknown";

/** What something in between, such as a proxy whose server begins a new life, answers for a while. */
const PASSING: ReadonlySet<number> = new Set([404, 408, 425]);

/** Whether a stream that was answered so is refused for good; otherwise it is tried again, as after a cut. */
export function isFinal({ status, code }: Pick<Problem, "status" | "code">): boolean {
  if (status < 400 || status >= 500 || status === 429) return false;
  return code !== UNTOLD || !PASSING.has(status);
}
