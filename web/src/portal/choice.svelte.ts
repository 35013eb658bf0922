import type { Schemas } from "../api/client";

type Tenant = Schemas["MembershipView"];

/** Where is kept which of their tenants somebody looked at last. */
const KEPT = "tenantry.portal.tenant";

let chosen = $state(localStorage.getItem(KEPT));

/** The tenant that was chosen, or the first. */
export const chosenTenant = (tenants: readonly Tenant[]): Tenant | undefined =>
  tenants.find(({ tenant_id: id }) => id === chosen) ?? tenants[0];

/** Chooses, and remembers it. */
export function chooseTenant(id: string): void {
  chosen = id;
  localStorage.setItem(KEPT, id);
}
