import type { Schemas } from "../api/client";

export type Permission = Schemas["Permission"];

type Grant = Schemas["GrantView"];

/**
 * Whether the grants let somebody do something: with one tenant, or without `tenant` with the whole fleet. The server
 * decides; this only keeps from the page what would be refused.
 */
export function may(grants: readonly Grant[], permission: Permission, tenant?: string): boolean {
  return grants.some(({ tenant_id: place, permissions }) => {
    const covers = place === undefined || place === null || place === tenant;
    return covers && (permissions.includes(permission) || permissions.includes("admin"));
  });
}
