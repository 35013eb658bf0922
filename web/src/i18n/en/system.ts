/** Texts of the installation. */
export const system = {} as const;
