import { spawn } from "node:child_process";
import { test } from "@playwright/test";
import { ADMIN, Stage } from "./stage/stage";
import { until } from "./stage/program";

const PORT = 5391;
const SHOTS = "/tmp/adminui-shots";
const PAGES = (process.env["PAGES"] ?? "events,audit").split(",");

test("shots", async ({ page }) => {
  test.setTimeout(280_000);
  const stage = await Stage.start();
  const vite = spawn("npx", ["vite", "--port", String(PORT), "--strictPort"], {
    env: { ...process.env, TENANTRY_URL: stage.url }, stdio: "inherit", detached: true });
  try {
    await stage.setUp();
    const duka = await stage.addTenant("Duka la Amina", "254700000001");
    await stage.addTenant("Salon Zuri", "254700000002");
    await stage.call("POST", "/admin/users", { email: "juma@example.com", name: "Juma Otieno", role: "OPERATOR" });
    await stage.call("POST", "/admin/users", { email: "amina@example.com", name: "Amina", tenants: [{ tenant: duka.id, role: "OWNER" }] });
    await stage.call("POST", "/admin/keys", { name: "shop", scopes: ["send", "read"], tenant: duka.id, expires_in_days: 90 });
    await stage.connect(duka).catch((e: unknown) => console.log("connect", String(e)));
    await until("vite", async () => (await fetch(`http://127.0.0.1:${PORT}/`).then(r => r.ok).catch(() => false)) || undefined);
    page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") console.log("console:", m.text()); });
    page.on("pageerror", (e) => console.log("pageerror:", e.message, e.stack));
    // Cookies are of the host, not of the port.
    await page.goto(`http://127.0.0.1:${PORT}/sign-in`);
    const r = await page.request.post(`${stage.url}/auth/sign-in`, { data: { email: ADMIN.email, password: ADMIN.password }, headers: { origin: stage.url } });
    console.log("sign in", r.status(), (await r.headersArray()).filter(h => h.name === "set-cookie").map(h => h.value).join());
    for (const name of PAGES) {
      for (const [look, theme, lang, width] of [["light", "light", "en", 1360], ["dark", "dark", "en", 1360], ["phone", "light", "sw", 360]] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.addInitScript(([th, la]) => { localStorage.setItem("tenantry.theme", th); localStorage.setItem("tenantry.language", la); }, [theme, lang] as const);
        await page.goto(`http://127.0.0.1:${PORT}/${name}`);
        await page.waitForTimeout(1800);
        await page.screenshot({ path: `${SHOTS}/${name.replaceAll(/\W/g, "_")}-${look}.png`, fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) console.log("TOO WIDE", name, look, wide);
      }
    }
  } finally {
    if (vite.pid) process.kill(-vite.pid, "SIGTERM");
    await stage.end();
  }
});
