import { devices, expect, test } from "@playwright/test";

import { expectAccessible, expectFits, watch } from "./stage/looks";
import { signIn } from "./stage/people";
import { Stage, type Tenant } from "./stage/stage";

/** A shopkeeper with a phone. */
test.describe.configure({ mode: "serial" });

const PENDO = { email: "pendo@example.com", password: "karibu sana kila siku leo" };
const SMALL = { ...devices["Pixel 5"], viewport: { width: 360, height: 740 } };
delete (SMALL as { defaultBrowserType?: string }).defaultBrowserType;

let stage: Stage;
let kitchen: Tenant;
let dental: Tenant;

test.beforeAll(async () => {
  stage = await Stage.start();
  await stage.setUp();
  kitchen = await stage.addTenant("Mama Pendo Kitchen", "254700000001", {
    greeting: "Karibu! Lunch is served from 12 to 3.",
  });
  dental = await stage.addTenant("Kilimani Dental", "254700000002");
  await stage.invite(PENDO, [{ tenant: kitchen.id, role: "OWNER" }]);
});

test.afterAll(() => stage?.end());

test("connects the bot with a link that needs no account", async ({ browser }) => {
  await stage.call("POST", `/admin/tenants/${kitchen.id}/worker/start`);
  const { url } = await stage.call<{ url: string }>(
    "POST",
    `/admin/tenants/${kitchen.id}/pair-links`,
    { expires_in_minutes: 10 },
  );
  const phone = await browser.newContext(SMALL);
  const page = await phone.newPage();
  const wrong = watch(page);
  await page.goto(url);
  await expect(page.getByRole("heading", { name: /Mama Pendo Kitchen/ })).toBeVisible();
  await expect(page).toHaveURL(/\/connect$/);
  await expect(page.getByRole("img", { name: /code/i })).toBeVisible();
  await expectFits(page, "the link's page");
  await expectAccessible(page, "the link's page");
  await stage.scan(kitchen.id, kitchen.phone);
  await expect(page.getByText(/connected/i).first()).toBeVisible();

  // It opens nothing else, and is good for nothing once it is taken back.
  await page.goto(`${stage.url}/bot`);
  await expect(page).toHaveURL(/sign-in/);
  await stage.call("DELETE", `/admin/tenants/${kitchen.id}/pair-links`);
  await page.goto(url);
  await page.reload();
  await expect(page.getByText(/not good any more|no longer/i).first()).toBeVisible();
  expect(wrong, "complaints of the browser").toEqual([]);
  await phone.close();
});

test("sees at a glance that the bot works, pauses it and lets it go on", async ({ browser }) => {
  const phone = await browser.newContext(SMALL);
  const page = await phone.newPage();
  const wrong = watch(page);
  await page.goto(stage.url);
  await signIn(page, PENDO);
  await expect(page).toHaveURL(/\/bot/);
  await expect(page.getByText(/Yes\b/).first()).toBeVisible();
  await stage.converse(kitchen, "Amina", "254711000001", ["Do you have pilau today?"]);

  await page.getByRole("switch").click();
  const asked = page.getByRole("dialog");
  await asked.getByRole("button", { name: /pause/i }).click();
  await expect(page.getByText(/paused/i).first()).toBeVisible();
  await page.getByRole("switch").click();
  await expect(page.getByText(/Yes\b/).first()).toBeVisible();

  await page.goto(`${stage.url}/bot/messages`);
  await page.getByText("254 711", { exact: false }).first().click();
  await expect(page.getByText("Do you have pilau today?").last()).toBeVisible();
  expect(wrong, "complaints of the browser").toEqual([]);
  await phone.close();
});

test("sees nothing of another tenant, whatever is asked", async ({ browser }) => {
  const phone = await browser.newContext(SMALL);
  const page = await phone.newPage();
  await page.goto(stage.url);
  await signIn(page, PENDO);
  await expect(page).toHaveURL(/\/bot/);
  for (const address of ["/tenants", `/tenants/${dental.slug}`, "/people", "/system", "/events"]) {
    await page.goto(stage.url + address);
    await expect(page.getByText("There is no such page")).toBeVisible();
    await expect(page.getByText("Kilimani Dental")).toHaveCount(0);
  }
  const answers = await page.evaluate(async (other) => {
    const ask = async (path: string, headers = {}) => (await fetch(path, { headers })).status;
    return {
      admin: await ask(`/admin/tenants/${other}/status`),
      fleet: await ask("/admin/fleet/tenants"),
      portal: await ask("/portal/tenant/current/status", { "x-tenant-id": other }),
      messages: await ask("/portal/tenant/current/messages", { "x-tenant-id": other }),
    };
  }, dental.id);
  expect(answers).toEqual({ admin: 404, fleet: 403, portal: 404, messages: 404 });
  await phone.close();
});
