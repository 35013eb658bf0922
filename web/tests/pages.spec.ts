import { expect, test, type BrowserContext, type Page } from "@playwright/test";

import { choose, expectAccessible, expectFits, picture, watch } from "./stage/looks";
import { signIn } from "./stage/people";
import { ADMIN, Stage, type Tenant } from "./stage/stage";

/** A page: its name, its address, and what shows that it is there. */
type Stop = [name: string, address: string, shows: string | RegExp];

const OWNER = { email: "pendo@example.com", password: "karibu sana kila siku leo" };

let stage: Stage;
let kitchen: Tenant;
let context: BrowserContext;
let page: Page;
let wrong: string[];

test.describe.configure({ mode: "serial" });

test.beforeAll(async ({ browser }) => {
  stage = await Stage.start();
  await stage.setUp();
  kitchen = await stage.addTenant("Mama Pendo Kitchen", "254700000001", {
    greeting: "Karibu! Lunch is served from 12 to 3.",
  });
  await stage.connect(kitchen);
  await stage.addTenant("Kilimani Dental", "254700000002");
  const motors = await stage.addTenant("Baraka Motors", "254700000003");
  await stage.call("POST", `/admin/tenants/${motors.id}/worker/start`);
  await stage.converse(kitchen, "Amina", "254711000001", ["Do you have pilau today?", "Asante!"]);
  await stage.invite(OWNER, [{ tenant: kitchen.id, role: "OWNER" }]);
  context = await browser.newContext({ locale: "en-GB", timezoneId: "Africa/Nairobi" });
  page = await context.newPage();
  wrong = watch(page);
});

test.afterAll(async () => {
  await context?.close();
  await stage?.end();
});

/** Looks at pages in both themes and on a phone's screen. */
async function lookAt(stops: readonly Stop[], language = "en"): Promise<void> {
  for (const [name, address, shows] of stops) {
    await page.setViewportSize({ width: 1360, height: 860 });
    await page.goto(stage.url + address);
    for (const theme of ["light", "dark"] as const) {
      await choose(page, theme, language);
      await expect(page.getByRole("main").getByText(shows).first()).toBeVisible();
      await expect(page.getByRole("status", { name: /Loading|Inapakia/ })).toHaveCount(0);
      await expectAccessible(page, `${name} (${theme}, ${language})`);
      await picture(page, `${language}-${theme}/${name}`);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await choose(page, "light", language);
    await expect(page.getByRole("main").getByText(shows).first()).toBeVisible();
    await expectFits(page, `${name} on a phone (${language})`);
    await expectAccessible(page, `${name} on a phone (${language})`);
    await picture(page, `${language}-phone/${name}`);
  }
  expect(wrong, "complaints of the browser").toEqual([]);
}

test("whoever is not signed in", async () => {
  await lookAt([
    ["sign-in", "/sign-in", "Sign in"],
    ["forgot", "/forgot", "Forgotten password"],
    ["dead-link", "/connect#tnp_no", /no longer/],
  ]);
});

test("the operator's pages", async () => {
  test.setTimeout(400_000);
  await page.goto(stage.url);
  await signIn(page, ADMIN);
  await lookAt([
    ["dashboard", "/", "Baraka Motors"],
    ["tenants", "/tenants", "Kilimani Dental"],
    ["tenant", `/tenants/${kitchen.slug}`, "Mama Pendo Kitchen"],
    ["tenant-connect", "/tenants/baraka-motors/connect", "Baraka Motors"],
    ["tenant-logs", `/tenants/${kitchen.slug}/logs`, "Mama Pendo Kitchen"],
    ["tenant-conversations", `/tenants/${kitchen.slug}/conversations`, /Karibu! Lunch/],
    ["tenant-rules", `/tenants/${kitchen.slug}/rules`, "Mama Pendo Kitchen"],
    ["tenant-settings", `/tenants/${kitchen.slug}/settings`, "Mama Pendo Kitchen"],
    ["tenant-events", `/tenants/${kitchen.slug}/events`, "Mama Pendo Kitchen"],
    ["tenant-audit", `/tenants/${kitchen.slug}/audit`, "Mama Pendo Kitchen"],
    ["events", "/events", "Events"],
    ["people", "/people", OWNER.email],
    ["keys", "/keys", "API keys"],
    ["audit", "/audit", "Audit log"],
    ["system", "/system", "System"],
    ["account", "/account", ADMIN.email],
    ["not-found", "/tenants/nobody", /no tenant|no such/i],
  ]);
});

test("the same in Swahili", async () => {
  test.setTimeout(300_000);
  await lookAt(
    [
      ["dashboard", "/", "Baraka Motors"],
      ["tenants", "/tenants", "Kilimani Dental"],
      ["tenant", `/tenants/${kitchen.slug}`, "Mama Pendo Kitchen"],
      ["people", "/people", OWNER.email],
      ["system", "/system", "Mfumo"],
    ],
    "sw",
  );
  await choose(page, "light");
});

test("the portal", async () => {
  test.setTimeout(300_000);
  await context.clearCookies();
  await page.goto(stage.url);
  await signIn(page, OWNER);
  const stops: Stop[] = [
    ["portal", "/bot", "Mama Pendo Kitchen"],
    ["portal-connect", "/bot/connect", "Mama Pendo Kitchen"],
    ["portal-messages", "/bot/messages", /254 711/],
    ["portal-answers", "/bot/answers", "Karibu! Lunch is served from 12 to 3."],
    ["portal-people", "/bot/people", OWNER.email],
  ];
  await lookAt(stops);
  await lookAt(stops, "sw");
});
