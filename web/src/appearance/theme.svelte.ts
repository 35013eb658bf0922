/** Light or dark, or whichever the device is in. */
export type Theme = "light" | "dark" | "system";

const CHOICE = "tenantry.theme";

const dark = matchMedia("(prefers-color-scheme: dark)");
const kept = localStorage.getItem(CHOICE);

let chosen = $state<Theme>(kept === "light" || kept === "dark" ? kept : "system");
let deviceIsDark = $state(dark.matches);

dark.addEventListener("change", () => {
  deviceIsDark = dark.matches;
  apply();
});
apply();

function apply(): void {
  document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
}

/** What was chosen. */
export const theme = (): Theme => chosen;

/** Whether the page is dark now; charts ask, for they draw themselves. */
export function isDark(): boolean {
  return chosen === "system" ? deviceIsDark : chosen === "dark";
}

/** Chooses, and remembers it. */
export function chooseTheme(theme: Theme): void {
  chosen = theme;
  if (theme === "system") localStorage.removeItem(CHOICE);
  else localStorage.setItem(CHOICE, theme);
  apply();
}
