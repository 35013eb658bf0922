import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test, expect, type Page } from "@playwright/test";
import { ADMIN, Stage } from "./stage/stage";
import { until } from "./stage/program";

const PORT = 5392;
const SHOTS = "/tmp/adminui-shots/flow-";
const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
async function axe(page: Page, name: string) {
  await page.waitForTimeout(250);
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: false });
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const r = await (window as unknown as { axe: { run: (o: unknown) => Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return r.violations.map((v) => `${v.id}: ${v.help}\n   ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " | " + n.failureSummary.slice(0, 200)).join("\n   ")}`);
  });
  for (const f of found) console.log("AXE", name, f);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) console.log("TOO WIDE", name, wide);
}
function totp(secret: string): string {
  const abc = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; let bits = "";
  for (const c of secret.replace(/[= ]/g, "")) bits += abc.indexOf(c).toString(2).padStart(5, "0");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  const msg = Buffer.alloc(8); msg.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const h = createHmac("sha1", key).update(msg).digest(); const o = (h.at(-1) ?? 0) & 15;
  return String((h.readUInt32BE(o) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
test("flow", async ({ page }) => {
  test.setTimeout(280_000);
  const stage = await Stage.start();
  const vite = spawn("npx", ["vite", "--config", "vite.scratch.config.ts", "--port", String(PORT), "--strictPort"], {
    env: { ...process.env, TENANTRY_URL: stage.url }, stdio: "ignore", detached: true });
  const U = `http://127.0.0.1:${PORT}`;
  try {
    await stage.setUp();
    const duka = await stage.addTenant("Duka la Amina", "254700000001");
    await stage.addTenant("Salon Zuri", "254700000002");
    await stage.connect(duka);
    await until("vite", async () => (await fetch(U).then(r => r.ok).catch(() => false)) || undefined);
    page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") console.log("console:", m.text()); });
    page.on("pageerror", (e) => console.log("pageerror:", e.message, e.stack));
    await page.goto(`${U}/sign-in`);
    await page.request.post(`${stage.url}/auth/sign-in`, { data: { email: ADMIN.email, password: ADMIN.password } });
    // events
    await page.goto(`${U}/events`);
    await expect(page.getByText("WhatsApp connected")).toBeVisible();
    await page.getByRole("button", { name: "Pause" }).click();
    await stage.call("POST", "/admin/tenants", { name: "Third" });
    await page.getByRole("button", { name: /Show \d+ new event/ }).click();
    await expect(page.getByRole("link", { name: "Third" })).toBeVisible();
    await page.getByRole("button", { name: "Bots" }).click();
    await expect(page.getByText("Tenant made")).toHaveCount(0);
    await expect(page.getByText("Bot started")).toBeVisible();
    await page.getByRole("button", { name: "Messages" }).click();
    await expect(page.getByText("Nothing of this kind")).toBeVisible();
    await page.getByRole("button", { name: "All" }).click();
    await expect(page.getByText("Bot started")).toBeVisible();
    await axe(page, "events");
    // audit
    await page.goto(`${U}/audit`);
    await expect(page.getByText("Made the first administrator")).toBeVisible();
    await axe(page, "audit");
    await page.getByLabel("What").selectOption("bots");
    await expect(page.getByText("Started the bot")).toBeVisible();
    await expect(page.getByText("Made a tenant")).toHaveCount(0);
    await page.getByLabel("Tenant").fill("salon-zuri");
    await expect(page.getByText("No entries")).toBeVisible();
    await page.getByRole("button", { name: "Clear the filters" }).first().click();
    await expect(page.getByText("Made the first administrator")).toBeVisible();
    await page.getByLabel("Time").selectOption("own");
    await axe(page, "audit-own");
    const [dl] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export" }).click()]);
    console.log("download", dl.suggestedFilename(), readFileSync(await dl.path(), "utf8").split("\n").length);
    await page.getByRole("button", { name: "Verify the chain" }).click();
    await page.getByRole("button", { name: "Verify now" }).click();
    await expect(page.getByText(/All \d+ entries are as they were written/)).toBeVisible();
    await axe(page, "verify");
    // people
    await page.goto(`${U}/people`);
    await page.getByRole("button", { name: "Invite somebody" }).click();
    await page.getByLabel("E-mail").fill("amina@example.com");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await expect(page.getByText("Choose a role, or add a tenant.")).toBeVisible();
    await page.getByRole("button", { name: "Add a tenant" }).click();
    await page.getByLabel("Tenant", { exact: true }).fill("duka-la-amina");
    await axe(page, "invite");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await expect(page.getByText(/Hand this link over/)).toBeVisible();
    await axe(page, "invited");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Manage Amina" }).or(page.getByRole("button", { name: "Manage amina@example.com" })).click();
    await axe(page, "manage");
    await page.getByRole("radio", { name: /Viewer/ }).check();
    await page.getByRole("button", { name: "Save the changes" }).click();
    await expect(page.getByText("Saved.")).toBeVisible();
    await page.getByRole("button", { name: "Manage Wanjiru" }).click();
    await page.getByRole("button", { name: "Lock the account" }).click();
    await axe(page, "lock-ask");
    await page.getByRole("button", { name: "Lock the account" }).last().click();
    await expect(page.getByText("That did not work")).toBeVisible();
    await axe(page, "lock-refused");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    // keys
    await page.goto(`${U}/keys`);
    await page.getByRole("button", { name: "New key" }).first().click();
    await page.getByLabel("What is it for?").fill("web shop");
    await page.getByRole("button", { name: "Make the key" }).click();
    await expect(page.getByText("Tick at least one.")).toBeVisible();
    await page.getByRole("checkbox", { name: /^Send/ }).check();
    await page.getByLabel("For which tenant?").fill("salon-zuri");
    await axe(page, "key-new");
    await page.getByRole("button", { name: "Make the key" }).click();
    await expect(page.getByText(/Copy it now/)).toBeVisible();
    await axe(page, "key-made");
    await page.getByRole("button", { name: "Done" }).click();
    await axe(page, "keys");
    await page.getByRole("button", { name: "Delete the key web shop" }).click();
    await page.getByRole("button", { name: "Delete the key", exact: true }).click();
    await expect(page.getByText("There are no keys yet")).toBeVisible();
    // system
    await page.goto(`${U}/system`);
    await page.getByRole("button", { name: "Examine now" }).click();
    await expect(page.getByText(/things? (is|are) well/)).toBeVisible({ timeout: 40000 });
    await page.getByRole("button", { name: "Make a backup" }).click();
    await axe(page, "backup");
    await page.getByRole("button", { name: "Make it now" }).click();
    await expect(page.getByText(/The backup is made/)).toBeVisible({ timeout: 40000 });
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: /How to restore/ }).click();
    await axe(page, "restore");
    await page.keyboard.press("Escape");
    await page.getByLabel("Name").fill("Duka Bots");
    await page.getByRole("switch").click();
    await page.locator(".sign").fill("#ffd400");
    await axe(page, "brand-draft");
    await page.locator("input[type=file]").setInputFiles({ name: "x.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") });
    await expect(page.getByText("Only PNG, JPEG and WebP")).toBeVisible();
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Name and colour are saved.")).toBeVisible();
    const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
    await page.locator("input[type=file]").setInputFiles({ name: "x.png", mimeType: "image/png", buffer: png });
    await page.getByRole("button", { name: "Use this logo" }).click();
    await expect(page.getByText("The logo is saved.")).toBeVisible();
    await page.screenshot({ path: `${SHOTS}system-full.png`, fullPage: true });
    await axe(page, "system");
    await page.getByRole("button", { name: "Remove the logo" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove the logo" }).click();
    await expect(page.getByText("The logo is removed.")).toBeVisible();
    // account
    await page.goto(`${U}/account`);
    await page.getByLabel("Present password").fill("wrong wrong wrong");
    await page.getByLabel("New password", { exact: true }).fill("another long sentence");
    await page.getByLabel("New password again").fill("another long sentence");
    await page.getByRole("button", { name: "Change the password" }).click();
    await expect(page.getByText("That is not your password.")).toBeVisible();
    await page.getByLabel("Present password").fill(ADMIN.password);
    await page.getByRole("button", { name: "Change the password" }).click();
    await expect(page.getByText("The password is changed.")).toBeVisible();
    await page.getByRole("button", { name: "Switch it on" }).click();
    await page.getByLabel("Your password").fill("another long sentence");
    await page.getByRole("button", { name: "Go on" }).click();
    const secret = await page.locator("code").first().innerText();
    await axe(page, "totp");
    await page.getByLabel(/Type the six digits/).fill("000000");
    await page.getByRole("button", { name: "Switch on", exact: true }).click();
    await expect(page.getByText(/not the code of now/)).toBeVisible();
    await page.getByLabel(/Type the six digits/).fill(totp(secret));
    await page.getByRole("button", { name: "Switch on", exact: true }).click();
    await expect(page.getByText("The second step is on.")).toBeVisible();
    await expect(page.getByRole("button", { name: "Switch it off" })).toBeVisible();
    await axe(page, "account");
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
    await page.waitForURL(/sign-in/);
  } catch (e) {
    await page.screenshot({ path: `${SHOTS}FAILED.png`, fullPage: true });
    throw e;
  } finally {
    if (vite.pid) process.kill(-vite.pid, "SIGTERM");
    await stage.end();
  }
});
