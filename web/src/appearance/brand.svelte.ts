import { answered, api, type Schemas } from "../api/client";
import { brandText, onColour } from "./contrast";

export type Brand = Schemas["Brand"];

let brand = $state.raw<Brand>({ name: "Tenantry" });

/** Whose installation this is: what tenants see in place of our own name. */
export const currentBrand = (): Brand => brand;

/** Shows the page in a brand's colour. */
export function showBrand(shown: Brand): void {
  brand = shown;
  const root = document.documentElement.style;
  if (shown.colour === undefined || shown.colour === null) {
    root.removeProperty("--brand");
    root.removeProperty("--on-brand");
    root.removeProperty("--brand-on-light");
    root.removeProperty("--brand-on-dark");
  } else {
    root.setProperty("--brand", shown.colour);
    root.setProperty("--on-brand", onColour(shown.colour));
    root.setProperty("--brand-on-light", brandText(shown.colour, "light"));
    root.setProperty("--brand-on-dark", brandText(shown.colour, "dark"));
  }
}

/** Asks the server for the brand; without an answer the page keeps its own looks. */
export async function loadBrand(): Promise<void> {
  try {
    showBrand(await answered(api.GET("/brand")));
  } catch {
    // Looks are not worth a message.
  }
}
