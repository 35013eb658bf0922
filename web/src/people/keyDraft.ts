import type { Schemas } from "../api/client";

type Permission = Schemas["Permission"];

/** What a key may be good for, from the least to the most. */
export const SCOPES = [
  "read",
  "send",
  "pair",
  "control",
  "settings",
  "admin",
] as const satisfies readonly Permission[];

export type Scope = (typeof SCOPES)[number];

/** How long a key may be good, in days; the server takes 1 to 3,650. */
export const LIFETIMES = ["30", "90", "365", "never"] as const;

export type Lifetime = (typeof LIFETIMES)[number];

/** A key while it is filled in. */
export interface KeyDraft {
  name: string;
  scopes: readonly Scope[];
  /** The tenant's id, "" for all, `undefined` where none is meant. */
  tenant: string | undefined;
  lifetime: Lifetime;
}

/** The scopes after one was ticked or not; `admin` holds all others, so it stands alone. */
export function ticked(scopes: readonly Scope[], scope: Scope, on: boolean): Scope[] {
  if (!on) return scopes.filter((it) => it !== scope);
  if (scope === "admin") return ["admin"];
  return SCOPES.filter((it) => it !== "admin" && (it === scope || scopes.includes(it)));
}

/** What is to be sent. */
export function keyOf({ name, scopes, tenant, lifetime }: KeyDraft): Schemas["CreateKey"] {
  const key: Schemas["CreateKey"] = { name: name.trim(), scopes: [...scopes] };
  if (tenant !== undefined && tenant !== "" && !scopes.includes("admin")) key.tenant = tenant;
  if (lifetime !== "never") key.expires_in_days = Number(lifetime);
  return key;
}

/** A line for a shell that shows that a key works. */
export function example(
  origin: string,
  secret: string,
  scopes: readonly Permission[],
  tenant: string | undefined,
): string {
  const header = `-H 'authorization: Bearer ${secret}'`;
  const may = (scope: Permission) => scopes.includes(scope) || scopes.includes("admin");
  const whose = tenant ?? "TENANT";
  if (may("send")) {
    return [
      `curl ${origin}/v1/tenants/${whose}/messages \\`,
      `  ${header} \\`,
      "  -H 'content-type: application/json' -H 'idempotency-key: first-message' \\",
      `  -d '{"to": "+254700000000", "text": "Hello"}'`,
    ].join("\n");
  }
  if (may("read")) {
    const path = tenant === undefined ? "/admin/tenants" : `/admin/tenants/${tenant}/status`;
    return `curl ${origin}${path} \\\n  ${header}`;
  }
  if (may("pair"))
    return `curl -X POST ${origin}/admin/tenants/${whose}/session/qr \\\n  ${header}`;
  if (may("control"))
    return `curl -X POST ${origin}/admin/tenants/${whose}/worker/restart \\\n  ${header}`;
  return `curl ${origin}/auth/session \\\n  ${header}`;
}

/** Whether a key is good no more, or not much longer. */
export function expiry(
  at: string | null | undefined,
  now: number,
): "none" | "far" | "soon" | "over" {
  if (at === null || at === undefined) return "none";
  const left = new Date(at).getTime() - now;
  if (left <= 0) return "over";
  return left < 14 * 86_400_000 ? "soon" : "far";
}
