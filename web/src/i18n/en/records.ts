/** Texts of events and the audit log. */
export const records = {} as const;
