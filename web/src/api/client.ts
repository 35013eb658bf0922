import createClient from "openapi-fetch";

import { Problem, problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";

/** The wire types, by their name in the API's document. */
export type Schemas = components["schemas"];

/** Told when the server no longer knows who we are. */
let onSignedOut: () => void = () => undefined;

/** What a changing request of a browser's session must give; see `GET /auth/session`. */
let csrfToken: string | undefined;

/** Has later requests carry the session's token, or none. */
export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/** Has `told` called when an answer says that nobody is signed in. */
export function whenSignedOut(told: () => void): void {
  onSignedOut = told;
}

/** Sends a request with what proves who we are. Streams use it too. */
export async function send(request: Request): Promise<Response> {
  if (csrfToken !== undefined && request.method !== "GET") {
    request.headers.set("x-csrf-token", csrfToken);
  }
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!request.headers.has("authorization") && (await tellsSignedOut(response))) onSignedOut();
  return response;
}

/** Whether an answer says that nobody is signed in: not that a password which was asked for is wrong. */
async function tellsSignedOut(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return problemOf(response.status, body).code !== "sign_in_failed";
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
