import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { compressed } from "./build/compressed.ts";

/** Where a control plane runs that the development server asks in our name. */
const CONTROL_PLANE = process.env["TENANTRY_URL"] ?? "http://127.0.0.1:7700";

const API = ["/admin", "/auth", "/brand", "/portal", "/v1", "/openapi.json", "/health", "/ready"];

export default defineConfig({
  plugins: [svelte(), compressed()],
  build: {
    target: "es2022",
    // Small files stay files: a policy without `data:` fonts and scripts holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { proxy: Object.fromEntries(API.map((path) => [path, CONTROL_PLANE])) },
  test: { include: ["src/**/*.test.ts", "build/**/*.test.ts"] },
});
