import type { Schemas } from "../api/client";

export type User = Schemas["UserView"];
export type Role = Schemas["OperatorRole"];
export type Place = Schemas["Membership"];

/** A tenant among those whose people somebody belongs to, while it is filled in. */
export interface PlaceDraft {
  /** Tells it from the others as long as it is filled in. */
  key: number;
  /** What is written. */
  text: string;
  /** The tenant's id; `undefined` where none is meant. */
  tenant: string | undefined;
  role: Schemas["TenantRole"];
}

/** What somebody may be given. */
export interface AccessDraft {
  role: Role | "NONE";
  places: PlaceDraft[];
}

let keys = 0;

export const newPlace = (): PlaceDraft => ({
  key: ++keys,
  text: "",
  tenant: undefined,
  role: "OWNER",
});

/** What an account is given now, to be changed. */
export function draftOf(user: User): AccessDraft {
  const places = user.tenants.map(({ tenant_id: id, role }) => ({
    key: ++keys,
    text: id,
    tenant: id,
    role,
  }));
  return { role: user.role ?? "NONE", places };
}

/** What keeps a draft from being sent. */
export type DraftFault = "nothing" | "unknown" | "twice";

/** What is wrong with a draft; `unknown`: a place whose tenant is none, `twice`: a tenant that is named twice. */
export function faultOf({ role, places }: AccessDraft): DraftFault | undefined {
  if (role === "NONE" && places.length === 0) return "nothing";
  if (places.some(({ tenant }) => tenant === undefined || tenant === "")) return "unknown";
  if (new Set(places.map(({ tenant }) => tenant)).size < places.length) return "twice";
  return undefined;
}

/** The places as the API takes them. */
export function placesOf(draft: AccessDraft): Place[] {
  return draft.places.flatMap(({ tenant, role }) =>
    tenant === undefined || tenant === "" ? [] : [{ tenant, role }],
  );
}

/** What of an account is to be changed; what stays is not in it. `undefined`: nothing is. */
export function changesOf(
  user: User,
  name: string,
  draft: AccessDraft,
): Schemas["UpdateUser"] | undefined {
  const changes: Schemas["UpdateUser"] = {};
  if (name.trim() !== user.name) changes.name = name.trim();
  if (draft.role !== (user.role ?? "NONE")) changes.role = draft.role;
  const places = placesOf(draft);
  const same =
    places.length === user.tenants.length &&
    places.every((place) =>
      user.tenants.some((it) => it.tenant_id === place.tenant && it.role === place.role),
    );
  if (!same) changes.tenants = places;
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** How an account stands. `invited`: its person has not chosen a password and never signed in. */
export type AccountState = "locked" | "invited" | "active";

export function stateOf(user: User): AccountState {
  if (user.disabled) return "locked";
  const came = user.last_sign_in_at !== undefined && user.last_sign_in_at !== null;
  return user.has_password || came ? "active" : "invited";
}

/** Accounts whose name, address or tenants hold a text. */
export function found(users: readonly User[], text: string): User[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [...users];
  return users.filter((user) =>
    [user.name, user.email, ...user.tenants.map(({ name }) => name)].some((it) =>
      it.toLowerCase().includes(wanted),
    ),
  );
}
