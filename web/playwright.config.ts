import { defineConfig } from "@playwright/test";

/** Debian's Chromium; another one can be named. */
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  // Each story has a control plane, workers and a browser of its own.
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  // A machine that is busy with something else may be too slow once; what passes only then is told as flaky.
  retries: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    actionTimeout: 20_000,
    navigationTimeout: 20_000,
    viewport: { width: 1360, height: 860 },
    locale: "en-GB",
    timezoneId: "Africa/Nairobi",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: CHROMIUM,
      // As root, and in containers, Chromium's own sandbox cannot be set up.
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    },
  },
});
