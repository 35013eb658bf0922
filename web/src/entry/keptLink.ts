import { whenPersonChanges } from "../session/person";

/** Where the token of a link outlives a reload; other tabs do not see it. */
const KEPT = "tenantry.connect";

// Loaded with the program, not with the page of the link: that page may have been shown before a reload.
whenPersonChanges(() => sessionStorage.removeItem(KEPT));

/** Keeps a link's token for this tab. */
export const keepLink = (token: string): void => sessionStorage.setItem(KEPT, token);

/** The token that is kept, or an empty text. */
export const keptLink = (): string => sessionStorage.getItem(KEPT) ?? "";
