import { contrast, onColour } from "../appearance/contrast";

/** The surfaces of the page that a colour stands on (`app.css`). */
const LIGHT = "#ffffff";
const DARK = "#171c25";

/** What tells a button from what is around it (WCAG 2, non-text contrast). */
const ENOUGH = 3;

/** How a colour does as a brand's. */
export interface Judgement {
  /** What is written on it: black or white. */
  text: string;
  /** How well that can be read, from 1 to 21. */
  contrast: number;
  /** Pages on which a button of that colour is hard to see. */
  faintOn: ("light" | "dark")[];
}

/** Whether it is a colour as the server takes it. */
export const isColour = (text: string): boolean => /^#[0-9a-f]{6}$/i.test(text);

/** Looks at a `#rrggbb` colour before it becomes the brand's. */
export function judge(colour: string): Judgement {
  const text = onColour(colour);
  const faintOn: Judgement["faintOn"] = [];
  if (contrast(colour, LIGHT) < ENOUGH) faintOn.push("light");
  if (contrast(colour, DARK) < ENOUGH) faintOn.push("dark");
  return { text, contrast: contrast(colour, text), faintOn };
}
