import {
  answered,
  api,
  setCsrfToken,
  whenSignedOut,
  whenTokenIsOld,
  type Schemas,
} from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { startAnew } from "../navigation/location.svelte";
import { may, type Permission } from "./may";
import { forgetPerson, welcomeBack } from "./person";

/** Who is signed in. */
export type Session = Schemas["SessionInfo"];

/** What is known of who looks at the page. `expired`: the session is over, and what it showed stays under a dialog. */
export type Standing =
  | { kind: "unknown" }
  | { kind: "signed-out" }
  | { kind: "signed-in"; session: Session }
  | { kind: "expired"; session: Session }
  | { kind: "failed"; problem: Problem };

let standing = $state.raw<Standing>({ kind: "unknown" });

/** Which look at the server is the newest: an older answer is of no use. */
let turn = 0;

/** What the tabs of a browser tell each other: who is signed in now; `null` nobody. They share one cookie. */
type Told = { user: string | null };

const tabs = new BroadcastChannel("tenantry.session");

tabs.addEventListener("message", ({ data }: MessageEvent<Told>) => {
  if (data.user === null) {
    if (currentSession() !== undefined) end();
  } else if (standing.kind !== "signed-in" || idOf(standing.session) !== data.user) {
    void lookWhoIsHere();
  }
});

whenSignedOut(() => {
  if (standing.kind !== "signed-in") return;
  setCsrfToken(undefined);
  standing = { kind: "expired", session: standing.session };
});

// Another session has taken the place of ours, in another tab: of the same person, or of somebody else.
whenTokenIsOld(lookWhoIsHere);

const idOf = (session: Session): string => session.user?.id ?? "";

/** Who looks at the page. */
export const whoIsHere = (): Standing => standing;

/** The session that the page shows, also when it is over and waits for its person to sign in again. */
export function currentSession(): Session | undefined {
  return standing.kind === "signed-in" || standing.kind === "expired"
    ? standing.session
    : undefined;
}

/** Asks the server who is signed in. */
export async function lookWhoIsHere(): Promise<void> {
  const mine = ++turn;
  try {
    const session = await answered(api.GET("/auth/session"));
    if (mine === turn) take(session);
  } catch (error) {
    if (mine !== turn) return;
    const problem = asProblem(error);
    if (problem.status === 401) {
      // A session that was shown has become an expired one already.
      if (currentSession() === undefined) standing = { kind: "signed-out" };
    } else if (currentSession() === undefined) {
      standing = { kind: "failed", problem };
    }
  }
}

function take(session: Session): void {
  const before = standing;
  const known = currentSession();
  setCsrfToken(session.csrf_token ?? undefined);
  tabs.postMessage({ user: idOf(session) } satisfies Told);
  if (known !== undefined && idOf(known) !== idOf(session)) {
    forgetPerson();
    standing = { kind: "unknown" };
    startAnew("/");
    return;
  }
  standing = { kind: "signed-in", session };
  if (before.kind === "expired") welcomeBack();
}

/** Nobody is signed in any more, and nothing is kept for the next. */
function end(): void {
  turn += 1;
  setCsrfToken(undefined);
  forgetPerson();
  standing = { kind: "signed-out" };
}

/** Ends the session, in all tabs. */
export async function signOut(): Promise<void> {
  await endBy(answered(api.POST("/auth/sign-out")));
}

/** Ends all sessions of who is signed in. */
export async function signOutEverywhere(): Promise<void> {
  await endBy(answered(api.POST("/auth/sign-out-everywhere")));
}

async function endBy(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    // What is over need not be ended.
    if (asProblem(error).status !== 401) throw error;
  }
  forgetSession();
}

/** Forgets an expired session: somebody else wants to sign in. */
export function forgetSession(): void {
  end();
  tabs.postMessage({ user: null } satisfies Told);
}

/** Whether who is signed in may do something: with the whole fleet, or with a tenant. */
export function can(permission: Permission, tenant?: string): boolean {
  const session = currentSession();
  return session !== undefined && may(session.grants, permission, tenant);
}

/** The tenants that who is signed in belongs to. */
export function ownTenants(): Schemas["MembershipView"][] {
  return currentSession()?.user?.tenants ?? [];
}
