import { answered, api, setCsrfToken, whenSignedOut, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { may, type Permission } from "./may";

/** Who is signed in. */
export type Session = Schemas["SessionInfo"];

/** What is known of who looks at the page. */
export type Standing =
  | { kind: "unknown" }
  | { kind: "signed-out" }
  | { kind: "signed-in"; session: Session }
  | { kind: "failed"; problem: Problem };

let standing = $state.raw<Standing>({ kind: "unknown" });

whenSignedOut(() => {
  if (standing.kind === "signed-in") {
    setCsrfToken(undefined);
    standing = { kind: "signed-out" };
  }
});

/** Who looks at the page. */
export const whoIsHere = (): Standing => standing;

/** Asks the server who is signed in. */
export async function lookWhoIsHere(): Promise<void> {
  try {
    const session = await answered(api.GET("/auth/session"));
    setCsrfToken(session.csrf_token ?? undefined);
    standing = { kind: "signed-in", session };
  } catch (error) {
    const problem = asProblem(error);
    standing = problem.status === 401 ? { kind: "signed-out" } : { kind: "failed", problem };
  }
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await answered(api.POST("/auth/sign-out"));
  setCsrfToken(undefined);
  standing = { kind: "signed-out" };
}

/** Whether who is signed in may do something: with the whole fleet, or with a tenant. */
export function can(permission: Permission, tenant?: string): boolean {
  return standing.kind === "signed-in" && may(standing.session.grants, permission, tenant);
}

/** The tenants that who is signed in belongs to. */
export function ownTenants(): Schemas["MembershipView"][] {
  return standing.kind === "signed-in" ? (standing.session.user?.tenants ?? []) : [];
}
