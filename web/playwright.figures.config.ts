import { defineConfig } from "@playwright/test";

import stories from "./playwright.config.ts";

/** Figures are measured one at a time, on a machine that does nothing else. */
export default defineConfig(stories, {
  testDir: "tests/figures",
  testMatch: "*.figures.ts",
  workers: 1,
  retries: 0,
  timeout: 4 * 3_600_000,
  reporter: [["line"]],
});
