/** Texts of the tenant's portal. */
export const portal = {} as const;
