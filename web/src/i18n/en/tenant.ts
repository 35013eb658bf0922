/** Texts of a tenant's pages. */
export const tenant = {} as const;
