/** The kinds of picture that the server takes. */
export const LOGO_TYPES = ["image/png", "image/jpeg", "image/webp"] as const;

/** The most bytes of a logo. */
export const MOST_BYTES = 256 * 1024;

/** What keeps a file from being the logo. */
export type LogoFault = "type" | "empty" | "large";

/** Looks at a file before it is sent; the server looks at what is in it. */
export function logoFault({ type, size }: { type: string; size: number }): LogoFault | undefined {
  if (!LOGO_TYPES.some((it) => it === type)) return "type";
  if (size === 0) return "empty";
  return size > MOST_BYTES ? "large" : undefined;
}
