/** Texts of accounts and keys. */
export const people = {} as const;
