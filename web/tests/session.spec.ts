import { expect, test, type Browser, type BrowserContext, type Page } from "@playwright/test";

import { watch } from "./stage/looks";
import { signIn, signOut } from "./stage/people";
import { ADMIN, Stage } from "./stage/stage";

/** Sessions that end while a page is open, and two people at one browser. */
test.describe.configure({ mode: "serial" });

const OTHER = { email: "otieno@example.com", password: "another long sentence to keep" };

let stage: Stage;
let slug: string;

test.beforeAll(async () => {
  stage = await Stage.start();
  await stage.setUp();
  await stage.invite(OTHER, [], "VIEWER");
  ({ slug } = await stage.call<{ slug: string }>("POST", "/admin/tenants", { name: "Duka" }));
});

test.afterAll(async () => {
  await stage?.end();
});

async function opened(browser: Browser): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Africa/Nairobi" });
  const page = await context.newPage();
  await page.goto(`${stage.url}/tenants/${slug}/settings?from=here`);
  await expect(page).toHaveURL(/next=.*from%3Dhere/);
  await signIn(page, ADMIN);
  await expect(page).toHaveURL(/settings\?from=here/);
  return { context, page };
}

test("what is being written outlives the end of the session", async ({ browser }) => {
  const { context, page } = await opened(browser);
  const wrong = watch(page);
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("Duka la Mama");
  await context.clearCookies();
  const save = page.getByRole("button", { name: "Save" }).first();
  await save.click();
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel("E-mail")).toHaveValue(ADMIN.email);
  await dialog.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(name).toHaveValue("Duka la Mama");
  await save.click();
  await expect(page.getByRole("heading", { name: "Duka la Mama" })).toBeVisible();
  expect(wrong, "complaints of the browser").toEqual([]);
  await context.close();
});

test("signing out asks before it throws away what is being written", async ({ browser }) => {
  const { context, page } = await opened(browser);
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("Something else");
  await page.getByRole("banner").locator("summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(name).toHaveValue("Something else");
  await context.close();
});

test("somebody else in one tab is somebody else in the other", async ({ browser }) => {
  const { context, page: first } = await opened(browser);
  const second = await context.newPage();
  await second.goto(stage.url);
  await signOut(second);
  await expect(first).toHaveURL(/sign-in/);
  await signIn(second, OTHER);
  await expect(first).not.toHaveURL(/sign-in/);
  await expect(
    first.getByRole("banner").getByText("otieno", { exact: true }).first(),
  ).toBeVisible();

  // Somebody else takes the place of a session that nobody has ended: by a cookie, as another way to sign in does.
  const other = await browser.newContext();
  const elsewhere = await other.newPage();
  await elsewhere.goto(stage.url);
  await signIn(elsewhere, ADMIN);
  await context.addCookies(await other.cookies());
  await second.reload();
  await expect(
    second.getByRole("banner").getByText(ADMIN.name, { exact: true }).first(),
  ).toBeVisible();
  await expect(
    first.getByRole("banner").getByText(ADMIN.name, { exact: true }).first(),
  ).toBeVisible();
  await other.close();
  await context.close();
});
