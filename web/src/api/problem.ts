import type { components } from "./schema";

/** What the server says of a failure (RFC 9457). */
type Told = components["schemas"]["Problem"];

/** A request that failed: refused by the server, or not answered at all. */
export class Problem extends Error {
  /** The HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** The stable code, such as `unknown_tenant`; `unreachable` when nothing answered. */
  readonly code: string;
  /** What is wrong with each field, by its name. */
  readonly fields: ReadonlyMap<string, string>;
  /** The worker's last lines, where they explain the failure. */
  readonly logTail: readonly string[];
  /** After how many seconds another try makes sense, where the server says so. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    detail: string,
    told?: Partial<Told>,
    retryAfter?: number,
  ) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.fields = new Map(told?.errors?.map(({ field, message }) => [field, message]));
    this.logTail = told?.log_tail ?? [];
    this.retryAfter = retryAfter;
  }
}

/** Nothing answered: the server is down, or the network is. */
export const unreachable = (): Problem => new Problem(0, "unreachable", "");

/**
 * A failure as the server told it; anything else than a problem document is one of its own. `wait` is the answer's
 * `Retry-After`.
 */
export function problemOf(status: number, body: unknown, wait?: string | null): Problem {
  const told = typeof body === "object" && body !== null ? (body as Partial<Told>) : {};
  const detail = told.detail ?? told.title ?? `HTTP ${status}`;
  const seconds = wait === undefined || wait === null ? Number.NaN : Number(wait);
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  return new Problem(status, told.code ?? "unknown", detail, told, retryAfter);
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "unknown", error instanceof Error ? error.message : String(error));
}

/**
 * What a refusal says of the session: it is `over`, or the browser has `another` one by now. That a password which was
 * asked for is wrong says nothing of it.
 */
export function saidOfSession({ status, code }: Problem): "over" | "another" | undefined {
  if (status === 401 && code !== "sign_in_failed" && code !== "code_required") return "over";
  if (status === 403 && code === "csrf_token") return "another";
  return undefined;
}
