/** How much a row of the list shows; `narrow` rows are two lines on a phone. */
export type Layout = "wide" | "middle" | "narrow";

/** The layout that fits a width in pixels. */
export const layoutOf = (width: number): Layout =>
  width >= 1040 ? "wide" : width >= 800 ? "middle" : "narrow";

/** The height of a row in pixels. */
export const ROW_HEIGHTS: Record<Layout, number> = { wide: 52, middle: 52, narrow: 62 };
