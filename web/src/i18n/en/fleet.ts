/** Texts of the operator's dashboard and list of tenants. */
export const fleet = {} as const;
