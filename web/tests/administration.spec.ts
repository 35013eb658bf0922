import { readFileSync } from "node:fs";

import { expect, test, type BrowserContext, type Page } from "@playwright/test";

import { codeOf } from "./stage/authenticator";
import { expectAccessible, watch } from "./stage/looks";
import { signIn } from "./stage/people";
import { ADMIN, Stage } from "./stage/stage";

/** What an administrator does besides running bots, in one browser. */
test.describe.configure({ mode: "serial" });

const OTHER_PASSWORD = "another sentence that is easy to keep";
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let stage: Stage;
let context: BrowserContext;
let page: Page;
let wrong: string[];

test.beforeAll(async ({ browser }) => {
  stage = await Stage.start();
  await stage.setUp();
  await stage.call("POST", "/admin/tenants", { name: "Duka la Amina" });
  await stage.call("POST", "/admin/tenants", { name: "Salon Zuri" });
  context = await browser.newContext({ locale: "en-GB", timezoneId: "Africa/Nairobi" });
  page = await context.newPage();
  wrong = watch(page);
  await page.goto(`${stage.url}/events`);
  await signIn(page, ADMIN);
});

test.afterAll(async () => {
  await context?.close();
  await stage?.end();
});

const open = (path: string) => page.goto(stage.url + path);
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
const inDialog = (name: string) => page.getByRole("dialog").last().getByRole("button", { name });

test("sees events as they happen, and can have them stand still", async () => {
  await open("/events");
  await expect(page.getByRole("link", { name: "Salon Zuri" })).toBeVisible();
  await button("Pause").click();
  await stage.call("POST", "/admin/tenants", { name: "Kilimani Dental" });
  await button(/Show \d+ new event/).click();
  await expect(page.getByRole("link", { name: "Kilimani Dental" })).toBeVisible();
  await button("Sign-ins").click();
  await expect(page.getByText("Somebody signed in")).toBeVisible();
  await expect(page.getByText("Tenant made")).toHaveCount(0);
  await button("Messages").click();
  await expect(page.getByText("Nothing of this kind has happened")).toBeVisible();
});

test("finds who did what, takes it along, and verifies that nothing was changed", async () => {
  await open("/audit");
  await expect(page.getByText("Made the first administrator")).toBeVisible();
  await page.getByLabel("What").selectOption("tenants");
  await page.getByLabel("Tenant").fill("salon-zuri");
  await expect(page.getByText("Made a tenant")).toHaveCount(1);
  await expect(page.getByText("Made the first administrator")).toHaveCount(0);
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export" }).click();
  const lines = readFileSync(await (await downloading).path(), "utf8")
    .trim()
    .split("\n");
  expect(lines).toHaveLength(1);
  await button("Verify the chain").click();
  await button("Verify now").click();
  await expect(page.getByText(/All \d+ entries are as they were written/)).toBeVisible();
  await page.getByLabel(/A fingerprint that you wrote down/).fill("0".repeat(64));
  await button("Verify now").click();
  await expect(page.getByText("No entry has the fingerprint that you gave")).toBeVisible();
  await expectAccessible(page, "what verifying shows");
});

test("invites an owner, makes her a viewer, and cannot lock the last administrator out", async () => {
  await open("/people");
  await button("Invite somebody").click();
  await page.getByLabel("E-mail").fill("amina@example.com");
  await page.getByLabel(/^Name/).fill("Amina");
  await button("Invite").click();
  await expect(page.getByText("Choose a role, or add a tenant.")).toBeVisible();
  await button("Add a tenant").click();
  await page.getByLabel("Tenant", { exact: true }).fill("duka-la-amina");
  await expectAccessible(page, "an invitation");
  await button("Invite").click();
  await expect(page.getByText(/\/invitation#/)).toBeVisible();
  await button("Done").click();
  await expect(page.getByRole("link", { name: "Duka la Amina" })).toBeVisible();
  await button("Manage Amina").click();
  await page.getByRole("radio", { name: /Viewer/ }).check();
  await button("Save the changes").click();
  await expect(page.getByRole("row", { name: /Amina.*Viewer/ })).toBeVisible();
  await button(`Manage ${ADMIN.name}`).click();
  await button("Lock the account").click();
  await inDialog("Lock the account").click();
  await expect(page.getByText(/the only administrator/)).toBeVisible();
});

test("makes a key that is shown once and works, and deletes it", async () => {
  await open("/keys");
  await button("New key").first().click();
  await page.getByLabel("What is it for?").fill("web shop");
  await button("Make the key").click();
  await expect(page.getByText("Tick at least one.")).toBeVisible();
  await page.getByRole("checkbox", { name: /^See/ }).check();
  await page.getByLabel("For which tenant?").fill("salon-zuri");
  await button("Make the key").click();
  const secret = await page.getByText(/^tnt_[0-9a-f]+$/).innerText();
  await expectAccessible(page, "a new key");
  const asked = () =>
    fetch(`${stage.url}/admin/tenants/salon-zuri/status`, {
      headers: { authorization: `Bearer ${secret}` },
    });
  expect((await asked()).status).toBe(200);
  await button("Done").click();
  await expect(page.getByText(secret)).toHaveCount(0);
  await button("Delete the key web shop").click();
  await inDialog("Delete the key").click();
  await expect(page.getByText("There are no keys yet")).toBeVisible();
  expect((await asked()).status).toBe(401);
});

test("has the installation examined and backed up", async () => {
  await open("/system");
  await button("Examine now").click();
  await expect(page.getByText(/things? (is|are) well/)).toBeVisible({ timeout: 60_000 });
  await button("Make a backup").click();
  await page.getByLabel(/Public keys of age/).fill("AGE-SECRET-KEY-1");
  await button("Make it now").click();
  await expect(page.getByText(/is no public key/)).toBeVisible();
  await page.getByLabel(/Public keys of age/).fill("");
  await button("Make it now").click();
  await expect(page.getByText(/The backup is made/)).toBeVisible({ timeout: 60_000 });
  await button("Done").click();
  await button(/How to restore/).click();
  await expect(page.getByText(/^tenantry restore .*\.tar\.gz$/)).toBeVisible();
});

test("gives the installation a name, a colour and a logo", async () => {
  await open("/system");
  const brand = page.getByRole("region", { name: "Name and looks" });
  await brand.getByRole("textbox", { name: "Name" }).fill("Savanna Bots");
  await brand.getByRole("switch").click();
  await brand.getByRole("textbox", { name: "Colour", exact: true }).fill("#ffd400");
  await expect(brand.getByText(/hard to see on a light page/)).toBeVisible();
  await brand.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("link", { name: "Savanna Bots" })).toBeVisible();
  await expectAccessible(page, "a page in a bright colour");
  const file = page.locator("input[type=file]");
  const picture = { name: "logo.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") };
  await file.setInputFiles(picture);
  await expect(brand.getByText("Only PNG, JPEG and WebP can be used.")).toBeVisible();
  await file.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: PIXEL });
  await button("Use this logo").click();
  await expect(brand.getByAltText("The logo of now")).toBeVisible();
  await button("Remove the logo").click();
  await inDialog("Remove the logo").click();
  await expect(brand.getByAltText("The logo of now")).toHaveCount(0);
});

test("changes the password, adds a second step, and signs out everywhere", async () => {
  await open("/account");
  await page.getByLabel("Present password").fill("not the password at all");
  await page.getByLabel("New password", { exact: true }).fill(OTHER_PASSWORD);
  await page.getByLabel("New password again").fill(OTHER_PASSWORD);
  await button("Change the password").click();
  await expect(page.getByText("That is not your password.")).toBeVisible();
  await page.getByLabel("Present password").fill(ADMIN.password);
  await button("Change the password").click();
  await expect(page.getByText("The password is changed.", { exact: false })).toBeVisible();
  await button("Switch it on").click();
  await page.getByLabel("Your password").fill(OTHER_PASSWORD);
  await button("Go on").click();
  const secret = await page.getByText(/^([A-Z2-7]{4} ){3,}/).innerText();
  await expectAccessible(page, "the second step");
  await page.getByLabel(/Type the six digits/).fill(codeOf(secret));
  await button("Switch on").click();
  await expect(button("Switch it off")).toBeVisible();
  await button("Sign out everywhere").click();
  await inDialog("Sign out everywhere").click();
  await expect(page).toHaveURL(/sign-in/);
  expect(wrong, "complaints of the browser").toEqual([]);
});
