/** The relative luminance of a `#rrggbb` colour, from 0 to 1, as WCAG 2 defines it. */
function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast of two `#rrggbb` colours, from 1 to 21 (WCAG 2). */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** A colour with a share of another one in it, from 0 to 1. */
function mixed(colour: string, other: string, share: number): string {
  const part = (at: number): string => {
    const [from, to] = [colour, other].map((it) => Number.parseInt(it.slice(at, at + 2), 16));
    const value = Math.round((from ?? 0) * (1 - share) + (to ?? 0) * share);
    return value.toString(16).padStart(2, "0");
  };
  return `#${part(1)}${part(3)}${part(5)}`;
}

/** The surfaces of a look that text in the brand's colour stands on, the lightest or darkest first (`app.css`). */
const SURFACES = {
  light: { surfaces: ["#ffffff", "#f5f6f8", "#eceef2"], soft: 0.1, towards: "#000000", from: 0.18 },
  dark: { surfaces: ["#171c25", "#0e1218", "#1f2631"], soft: 0.26, towards: "#ffffff", from: 0.45 },
} as const;

/** A little more than WCAG's 4.5, for the browser mixes the soft surface in another way. */
const READABLE = 4.7;

/** A brand's colour as text on a light or a dark page: darker or lighter than it until it can be read. */
export function brandText(colour: string, look: keyof typeof SURFACES): string {
  const { surfaces, soft, towards, from } = SURFACES[look];
  const under = [...surfaces, mixed(surfaces[0], colour, soft)];
  for (let share: number = from; share < 1; share += 0.04) {
    const text = mixed(colour, towards, share);
    if (under.every((surface) => contrast(text, surface) >= READABLE)) return text;
  }
  return towards;
}

/** Black or white, whichever is easier to read on a colour. */
export const onColour = (colour: string): string =>
  contrast(colour, "#ffffff") >= contrast(colour, "#000000") ? "#ffffff" : "#000000";
