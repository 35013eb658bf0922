/** Texts of one's own account. */
export const account = {} as const;
