import { expect, test, type BrowserContext, type Page } from "@playwright/test";

import { watch } from "./stage/looks";
import { signIn } from "./stage/people";
import { ADMIN, Stage, type Tenant } from "./stage/stage";

/** What an operator does with one tenant's bot: its rules, its chats, its log, its settings, its end. */
test.describe.configure({ mode: "serial" });

const ASHA = "254711000009";

let stage: Stage;
let context: BrowserContext;
let page: Page;
let wrong: string[];
let duka: Tenant;

test.beforeAll(async ({ browser }) => {
  stage = await Stage.start();
  await stage.setUp();
  duka = await stage.addTenant("Duka la Neema", "254700000071", { greeting: "Karibu!" });
  await stage.connect(duka);
  context = await browser.newContext({ locale: "en-GB", timezoneId: "Africa/Nairobi" });
  page = await context.newPage();
  wrong = watch(page);
  await page.goto(`${stage.url}/sign-in`);
  await signIn(page, ADMIN);
});

test.afterAll(async () => {
  await context?.close();
  await stage?.end();
});

const open = (part: string) => page.goto(`${stage.url}/tenants/${duka.slug}/${part}`);
const tab = (name: string) => page.getByRole("link", { name, exact: true });
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });

test("makes rules, and is told of a mistake where it is", async () => {
  await open("rules");
  await expect(page.getByText("This bot has no rules")).toBeVisible();
  await page.getByRole("listitem").filter({ hasText: "An empty set" }).getByRole("button").click();
  await button("Add a rule").click();
  await page.getByLabel("Name", { exact: true }).fill("prices");
  await page.getByLabel("Words in the message").fill("bei, price");
  await page.getByRole("textbox", { name: "Text" }).fill("Bread is 60, {nam}.");
  await button("Save").click();
  await expect(page.getByText(/unknown variable \{nam\}/).first()).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Text" })).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("button", { name: "Document" }).click();
  await expect(page.getByRole("button", { name: /^Line \d+, column \d+$/ })).toBeVisible();
  await page.getByRole("button", { name: "Form" }).click();
});

test("is asked before what is not saved is lost", async () => {
  await tab("Log").click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Leave without saving?")).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(page).toHaveURL(/rules$/);
});

test("tries rules before they are stored, and then they answer", async () => {
  await page
    .getByRole("button", { name: /prices/ })
    .first()
    .click();
  await page.getByRole("textbox", { name: "Text" }).fill("Bread is 60, {name|please}.");
  await page.getByLabel("The customer writes").fill("Bei ya mkate?");
  await button("Try").click();
  await expect(page.getByText("Bread is 60, please.")).toBeVisible();
  await page.getByLabel("The customer writes").fill("Habari");
  await button("Try").click();
  await expect(page.getByText("It says nothing")).toBeVisible();
  await button("Save").click();
  await expect(page.getByText(/The bot uses the new rules/)).toBeVisible();
  await stage.converse(duka, "Asha", ASHA, ["price of bread?"]);
  await open("conversations");
  await page.getByText("254 711 000 009").first().click();
  await expect(page.getByText("Bread is 60, Asha.").last()).toBeVisible();
});

test("writes while the bot is stopped, and it is sent once it runs", async () => {
  await stage.call("POST", `/admin/tenants/${duka.id}/worker/stop`);
  await page.getByLabel("Write a message").fill("We open at eight.");
  await page.getByLabel("Write a message").press("Enter");
  await expect(page.getByText("Waiting to be sent").first()).toBeVisible();
  await button("Start").click();
  await expect(page.getByText("Waiting to be sent")).toHaveCount(0, { timeout: 30_000 });
  await expect(page.getByText("We open at eight.").last()).toBeVisible();
  await page.getByLabel("Search all messages").fill("EIGHT");
  await expect(page.getByRole("list", { name: "Messages found" }).getByRole("link")).toHaveCount(1);
});

test("reads the log as it comes, holds it and searches it", async () => {
  await open("logs");
  const lines = page.getByRole("listbox", { name: "Lines of the log" }).getByRole("option");
  await expect(lines.first()).toBeVisible();
  await button("Pause").click();
  await stage.call("POST", `/admin/tenants/${duka.id}/worker/restart`);
  await expect(page.getByRole("button", { name: /^Go on \([1-9]/ })).toBeVisible();
  await page.getByRole("button", { name: /^Go on/ }).click();
  await page.getByLabel("Search in the log").fill("CONNECTED TO WHATSAPP");
  await expect(lines.first()).toContainText("connected to WhatsApp");
  await page.getByLabel("Search in the log").fill("nothing says this");
  await expect(page.getByText("No line fits")).toBeVisible();
});

test("changes settings; what is wrong stands beside its field", async () => {
  await open("settings");
  await page.getByLabel("Messages a minute").fill("9000");
  await button("Save").first().click();
  await expect(page.getByText("must be from 1 to 600")).toBeVisible();
  await page.getByLabel("Messages a minute").fill("30");
  await page.getByLabel("Name", { exact: true }).fill("Duka la Neema II");
  await button("Save").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Duka la Neema II");
});

test("deletes the tenant with its name typed, and who looks at it is told", async () => {
  const other = await context.newPage();
  await other.goto(`${stage.url}/tenants/${duka.slug}`);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Duka la Neema II");
  await button("Delete the tenant").click();
  const dialog = page.getByRole("dialog");
  const really = dialog.getByRole("button", { name: "Delete the tenant" });
  await expect(really).toBeDisabled();
  await dialog.getByRole("textbox").fill(duka.slug);
  await really.click();
  await expect(page).toHaveURL(/\/tenants$/);
  await expect(other.getByText("Duka la Neema II was deleted")).toBeVisible();
  expect(wrong, "complaints of the browser").toEqual([]);
});
