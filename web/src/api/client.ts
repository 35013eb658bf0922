import createClient from "openapi-fetch";

import { Problem, problemOf, saidOfSession, unreachable } from "./problem";
import type { components, paths } from "./schema";

/** The wire types, by their name in the API's document. */
export type Schemas = components["schemas"];

/** Told when the server no longer knows who we are. */
let onSignedOut: () => void = () => undefined;

/** Told when a request was refused for a token that is not of the session which the browser has now. */
let onOldToken: () => Promise<void> = () => Promise.resolve();

/** What a changing request of a browser's session must give; see `GET /auth/session`. */
let csrfToken: string | undefined;

/** Grows with each session: what an answer says of an older one is of no use. */
let generation = 0;

/** Has later requests carry the session's token, or none. */
export function setCsrfToken(token: string | undefined): void {
  if (csrfToken !== token) generation += 1;
  csrfToken = token;
}

/** Has `told` called when an answer says that nobody is signed in. */
export function whenSignedOut(told: () => void): void {
  onSignedOut = told;
}

/** Has `look` called, and waited for, when the browser has another session than the page knows of. */
export function whenTokenIsOld(look: () => Promise<void>): void {
  onOldToken = look;
}

/** Sends a request with what proves who we are. Streams use it too. */
export async function send(request: Request): Promise<Response> {
  if (csrfToken !== undefined && request.method !== "GET") {
    request.headers.set("x-csrf-token", csrfToken);
  }
  const sentIn = generation;
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!request.headers.has("authorization")) await learnFrom(response, sentIn);
  return response;
}

/** Takes from a refusal what it says of the session. */
async function learnFrom(response: Response, sentIn: number): Promise<void> {
  if (response.status !== 401 && response.status !== 403) return;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const said = saidOfSession(problemOf(response.status, body));
  // Whoever has signed in since is not meant.
  if (sentIn !== generation) return;
  if (said === "over") onSignedOut();
  else if (said === "another") await onOldToken();
}

/** The whole API. */
export const api = createClient<paths>({ fetch: send });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/**
 * The answer's body.
 *
 * @throws {Problem} when the request was refused or not answered.
 */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw problemOf(response.status, error, response.headers.get("retry-after"));
  return data as T;
}

export { Problem };
