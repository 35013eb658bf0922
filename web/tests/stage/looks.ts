import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { expect, type Page } from "@playwright/test";
import type axe from "axe-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Where the pictures of a run are. */
const PICTURES = join(import.meta.dirname, "../../test-results/pictures");

/** What a browser complains of that is no fault of the page. */
const EXPECTED = [
  // The browser tells of each answer that is no success, also of those that the page expects.
  /Failed to load resource/,
];

/** Collects what goes wrong in a page: errors of the program, refusals of the policy, words on the console. */
export function watch(page: Page): string[] {
  const found: string[] = [];
  page.on("pageerror", (error) => found.push(String(error.stack ?? error)));
  page.on("console", (message) => {
    const text = message.text();
    const bad = message.type() === "error" || message.type() === "warning";
    if (bad && !EXPECTED.some((pattern) => pattern.test(text))) found.push(text);
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") found.push(`asked ${hostname}`);
  });
  return found;
}

/** The page has no violation that axe-core finds. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  // Not as a script of the page, which its policy would refuse.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const program = (globalThis as unknown as { axe: typeof axe }).axe;
    const { violations } = await program.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => {
      const places = nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`);
      return `${id}: ${places.slice(0, 3).join(" | ")}`;
    });
  });
  expect(violations, `axe-core about ${name}`).toEqual([]);
}

/** Nothing is wider than the screen. */
export async function expectFits(page: Page, name: string): Promise<void> {
  const [content, screen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  expect(content, `the width of ${name}`).toBeLessThanOrEqual(screen ?? 0);
}

/** Shows the page in a theme, as its own menu does. */
export async function choose(page: Page, theme: "light" | "dark", language = "en"): Promise<void> {
  await page.evaluate(
    ([theme, language]) => {
      localStorage.setItem("tenantry.theme", theme ?? "light");
      localStorage.setItem("tenantry.language", language ?? "en");
    },
    [theme, language],
  );
  await page.reload();
}

/** Takes a picture. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });
}
