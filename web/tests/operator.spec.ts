import { expect, test, type BrowserContext, type Page } from "@playwright/test";

import { watch } from "./stage/looks";
import { signIn, signOut } from "./stage/people";
import { until } from "./stage/program";
import { ADMIN, Stage } from "./stage/stage";

/** One operator's first day, in one browser, from the link on the console to signing out. */
test.describe.configure({ mode: "serial" });

const PHONE = "254700000001";
const AMINA = "254711000001";
const KITCHEN = "mama-pendo-kitchen";

let stage: Stage;
let context: BrowserContext;
let page: Page;
let wrong: string[];

test.beforeAll(async ({ browser }) => {
  stage = await Stage.start();
  context = await browser.newContext({ locale: "en-GB", timezoneId: "Africa/Nairobi" });
  page = await context.newPage();
  wrong = watch(page);
});

test.afterAll(async () => {
  await context?.close();
  await stage?.end();
});

interface Status {
  status: string;
  worker: { status: string; pid?: number | null; restarts: number; generation: number };
  session: { state: string };
}

const status = () => stage.call<Status>("GET", `/admin/tenants/${KITCHEN}/status`);

const open = (part = "") => page.goto(`${stage.url}/tenants/${KITCHEN}${part}`);

test("sets the installation up in the browser", async () => {
  await page.goto(stage.setUpLink);
  await expect(page).toHaveURL(/\/setup$/);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.getByLabel("Your name").fill(ADMIN.name);
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page.getByText(/at least 12 characters/i).first()).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.getByLabel("Name of the installation").fill("Savanna Bots");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Skip" }).click();
  await expect(page.getByRole("link", { name: "Savanna Bots" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});

test("signs out and in, with the password alone", async () => {
  await signOut(page);
  await expect(page).toHaveURL(/sign-in/);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.getByLabel("Password", { exact: true }).fill("not this one, surely not");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await signIn(page, ADMIN);
});

test("makes a tenant, starts its bot and scans, and sees it turn active", async () => {
  await page.goto(`${stage.url}/tenants`);
  await page.getByRole("button", { name: "New tenant" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Mama Pendo Kitchen");
  await dialog.getByLabel(/phone|number/i).fill("12");
  await dialog.getByRole("button", { name: "Make" }).click();
  // A number that is none is told beside its field, and nothing is made.
  await expect(dialog.getByLabel(/phone|number/i)).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel(/phone|number/i).fill(`+${PHONE}`);
  await dialog.getByLabel(/greeting/i).fill("Karibu! Lunch is served from 12 to 3.");
  const starts = dialog.getByLabel(/start/i);
  if (await starts.isChecked()) await starts.uncheck();
  await dialog.getByRole("button", { name: "Make" }).click();
  await expect(page).toHaveURL(new RegExp(KITCHEN));

  const { id } = await stage.call<{ id: string }>("GET", `/admin/tenants/${KITCHEN}`);
  await stage.prepare(id, PHONE);
  await open();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.getByText("Waiting for scan").first()).toBeVisible();

  await open("/connect");
  await expect(page.getByRole("img", { name: /code/i })).toBeVisible();
  await stage.scan(id, PHONE);
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible();
});

test("sees a conversation as it happens", async () => {
  await open("/conversations");
  await stage.converse({ id: KITCHEN, slug: KITCHEN, phone: PHONE }, "Amina", AMINA, [
    "Do you have pilau today?",
  ]);
  await page.getByText("254 711", { exact: false }).first().click();
  await expect(page.getByText("Do you have pilau today?").last()).toBeVisible();
  await expect(page.getByText("Karibu! Lunch is served from 12 to 3.").last()).toBeVisible();
});

test("kills the worker and sees it heal", async () => {
  await open();
  const { worker } = await status();
  await expect(page.getByText(String(worker.pid)).first()).toBeVisible();
  process.kill(worker.pid ?? 0, "SIGKILL");
  const healed = await until("another process", async () => {
    const now = (await status()).worker;
    return now.pid && now.pid !== worker.pid ? now : undefined;
  });
  await expect(page.getByText(String(healed.pid)).first()).toBeVisible();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible();
  await open("/events");
  await expect(page.getByText(/died|ended unexpectedly/i).first()).toBeVisible();
});

test("sees a frozen worker found out and started anew", async () => {
  const { worker } = await status();
  await open("/events");
  await expect(page.getByText("Live", { exact: true }).first()).toBeVisible();
  process.kill(worker.pid ?? 0, "SIGSTOP");
  await expect(page.getByText(/no sign of life|stale/i).first()).toBeVisible();
  await until("the bot to be well again", async () => {
    const now = await status();
    return now.session.state === "CONNECTED" && now.worker.pid !== worker.pid ? true : undefined;
  });
  await open();
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible();
});

test("sees first who needs attention, and mends it", async () => {
  await page.goto(stage.url);
  await expect(page.getByText(/All is well/)).toBeVisible();
  const motors = await stage.addTenant("Baraka Motors", "254700000009");
  await stage.call("POST", `/admin/tenants/${motors.id}/worker/start`);
  const queue = page.getByRole("region", { name: /attention/i });
  await expect(queue.getByText("Baraka Motors")).toBeVisible();
  await queue.getByRole("link", { name: /connect/i }).click();
  await expect(page).toHaveURL(new RegExp(`${motors.slug}/connect`));
  await expect(page.getByRole("img", { name: /code/i })).toBeVisible();
  await stage.scan(motors.id, motors.phone);
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible();
  await page.goto(stage.url);
  await expect(page.getByText(/All is well/)).toBeVisible();

  // Its phone ends the login: it is here again, at once.
  await stage.network("POST", `/accounts/${motors.phone}/logout`);
  await expect(queue.getByText("Baraka Motors")).toBeVisible();
  await expect(queue.getByText(/logged/i).first()).toBeVisible();
});

test("a cut of the server shows, and what is shown goes on after it", async () => {
  await page.goto(stage.url);
  await expect(page.getByText("Live", { exact: true }).first()).toBeVisible();
  await stage.killServer();
  await expect(page.getByText(/Interrupted/).first()).toBeVisible();
  await stage.restartServer();
  await expect(page.getByText("Live", { exact: true }).first()).toBeVisible();
});

test("restarts many at once", async () => {
  const others = await Promise.all(
    [2, 3, 4].map((number) => stage.addTenant(`Duka ${number}`, `25470000000${number}`)),
  );
  for (const { id } of others) await stage.call("POST", `/admin/tenants/${id}/worker/start`);
  const generations = async () => {
    const { items } = await stage.call<{ items: { slug: string; worker: Status["worker"] }[] }>(
      "GET",
      "/admin/tenants",
    );
    return new Map(items.map(({ slug, worker }) => [slug, worker.generation]));
  };
  const before = await generations();
  await page.goto(`${stage.url}/tenants`);
  await page.getByRole("searchbox").fill("Duka");
  await expect(page.getByText("Mama Pendo Kitchen")).toHaveCount(0);
  // What does not run is left out of a restart.
  await expect(page.getByRole("row").filter({ hasText: "Running" })).toHaveCount(3);
  await page.getByLabel(/select all/i).click();
  await page.getByRole("button", { name: "Restart", exact: true }).first().click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(/3/).first()).toBeVisible();
  await dialog.getByRole("button", { name: /restart/i }).click();
  await expect(page.getByText("3 done")).toBeVisible({ timeout: 60_000 });
  const after = await generations();
  for (const { slug } of others) expect(after.get(slug)).toBeGreaterThan(before.get(slug) ?? 0);
  expect(after.get(KITCHEN)).toBe(before.get(KITCHEN));
});

test("signs out, and nothing is to be seen any more", async () => {
  await page.goto(stage.url);
  await signOut(page);
  await expect(page).toHaveURL(/sign-in/);
  await open();
  await expect(page).toHaveURL(/sign-in\?next=/);
  await expect(page.getByText("Mama Pendo Kitchen")).toHaveCount(0);
  expect(wrong, "complaints of the browser").toEqual([]);
});
