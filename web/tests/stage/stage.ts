import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { endLeftovers, Program, until } from "./program";

const PROGRAMS =
  process.env["TENANTRY_PROGRAMS"] ?? join(import.meta.dirname, "../../../target/debug");

/** The administrator that a stage is set up with, where a story does not do that itself. */
export const ADMIN = {
  email: "wanjiru@example.com",
  name: "Wanjiru",
  password: "a long sentence is easy to keep",
};

/** A tenant as the stage made it. */
export interface Tenant {
  id: string;
  slug: string;
  /** Its number on the simulated network, digits alone. */
  phone: string;
}

interface Ready {
  ws_url: string;
  http_url: string;
  server_key: string;
}

/** A control plane of its own, on a simulated WhatsApp network of its own. */
export class Stage {
  readonly #home: string;
  readonly #network: Program;
  readonly #ready: Ready;
  readonly #variables: Record<string, string>;
  #server: Program;
  /** Where the control plane listens. */
  url = "";
  /** The link that the first administrator is made with. */
  setUpLink = "";

  private constructor(
    home: string,
    network: Program,
    ready: Ready,
    variables: Record<string, string>,
  ) {
    this.#home = home;
    this.#network = network;
    this.#ready = ready;
    this.#variables = {
      TENANTRY_HOME: home,
      PORT: "0",
      WHATSAPP_URL: ready.ws_url,
      HEARTBEAT_INTERVAL_MS: "1000",
      STALE_CHECK_INTERVAL_MS: "1000",
      STALE_THRESHOLD_MINUTES: "0.1",
      ...variables,
    };
    this.#server = this.#startServer();
  }

  /** Starts everything and waits until it is ready. */
  static async start(variables: Record<string, string> = {}): Promise<Stage> {
    const home = mkdtempSync(join(tmpdir(), "tnt-"));
    const network = new Program(
      "whatsim",
      join(PROGRAMS, "whatsim"),
      ["serve", "--state-dir", join(home, "whatsim")],
      { TENANTRY_HOME: home },
    );
    const [line] = await network.wrote(/^\{.*\}$/m);
    const stage = new Stage(home, network, JSON.parse(line) as Ready, variables);
    await stage.#whenReady();
    const [link] = await stage.#server.wrote(/http\S+\/setup#\S+/);
    stage.setUpLink = link;
    return stage;
  }

  #startServer(): Program {
    return new Program("tenantry server", join(PROGRAMS, "tenantry"), ["server"], this.#variables);
  }

  async #whenReady(): Promise<void> {
    const pid = this.#server.pid;
    this.url = await until("the control plane to be ready", async () => {
      try {
        const text = readFileSync(join(this.#home, "run/server.json"), "utf8");
        const told = JSON.parse(text) as { url: string; pid?: number };
        if (told.pid !== undefined && told.pid !== pid) return undefined;
        return (await fetch(`${told.url}/ready`)).ok ? told.url : undefined;
      } catch {
        return undefined;
      }
    });
  }

  /** Kills the control plane; its workers go on. */
  async killServer(): Promise<void> {
    await this.#server.end("SIGKILL");
  }

  /** Starts it again, at the same address. */
  async restartServer(): Promise<void> {
    this.#variables["PORT"] = new URL(this.url).port;
    this.#server = this.#startServer();
    await this.#whenReady();
  }

  /** Calls the API with the installation's own token. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const token = readFileSync(join(this.#home, "admin.token"), "utf8").trim();
    return ask<T>(this.url + path, method, body, { authorization: `Bearer ${token}` });
  }

  /** Makes the first administrator. */
  async setUp(): Promise<void> {
    const token = new URL(this.setUpLink).hash.slice(1);
    await ask(`${this.url}/auth/setup`, "POST", { token, ...ADMIN });
  }

  /** Makes a tenant that has an account on the network, with a session that trusts it. */
  async addTenant(name: string, phone: string, more: object = {}): Promise<Tenant> {
    const made = await this.call<{ id: string; slug: string }>("POST", "/admin/tenants", {
      name,
      phone: `+${phone}`,
      ...more,
    });
    await this.prepare(made.id, phone);
    return { id: made.id, slug: made.slug, phone };
  }

  /** Has a tenant's worker find the simulated network, on which its number has an account. */
  async prepare(id: string, phone: string): Promise<void> {
    await this.network("POST", "/accounts", { phone });
    const folder = join(this.#home, "sessions", id);
    const args = ["prepare", "--server-key", this.#ready.server_key, folder];
    const done = spawnSync(join(PROGRAMS, "whatsim"), args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`whatsim prepare: ${done.stderr}`);
  }

  /** Starts a tenant's worker and scans its code with the tenant's phone. */
  async connect({ id, phone }: Tenant): Promise<void> {
    await this.call("POST", `/admin/tenants/${id}/worker/start`);
    await this.scan(id, phone);
    await until("the tenant to be active", async () => {
      const { session } = await this.call<{ session: { state: string } }>(
        "GET",
        `/admin/tenants/${id}/status`,
      );
      return session.state === "CONNECTED" ? true : undefined;
    });
  }

  /** Lets a contact write, and waits for the bot's answer to each text. */
  async converse(tenant: Tenant, name: string, from: string, texts: string[]): Promise<void> {
    await this.network("POST", "/contacts", { phone: from, name });
    for (const text of texts) {
      const answers = async () => {
        const told = await this.network<{ received: unknown[] }>(
          "GET",
          `/contacts/${from}/messages`,
        );
        return told.received.length;
      };
      const before = await answers();
      await this.network("POST", `/contacts/${from}/messages`, { to: tenant.phone, text });
      await until("an answer", async () => ((await answers()) > before ? true : undefined));
    }
  }

  /** Makes an account with a password, as an invitation's link does. */
  async invite(
    person: { email: string; password: string },
    tenants: { tenant: string; role: string }[],
    role?: string,
  ): Promise<void> {
    const { link } = await this.call<{ link?: { url: string } }>("POST", "/admin/users", {
      email: person.email,
      name: person.email.split("@")[0],
      tenants,
      ...(role === undefined ? {} : { role }),
    });
    if (link === undefined) throw new Error("the invitation has no link");
    const token = new URL(link.url).hash.slice(1);
    await ask(`${this.url}/auth/accept`, "POST", { token, password: person.password });
  }

  /** Scans the code that a tenant's worker shows. */
  async scan(id: string, phone: string): Promise<void> {
    const code = await until("a code to scan", async () => {
      const qr = await this.call<{ code?: string | null }>("GET", `/admin/tenants/${id}/qr`);
      return qr.code ?? undefined;
    });
    await this.network("POST", "/scan", { qr: code, phone });
  }

  /** Moves the simulated network: phones, contacts, faults. */
  async network<T>(method: string, path: string, body?: unknown): Promise<T> {
    return ask<T>(this.#ready.http_url + path, method, body);
  }

  /** Runs the command line against this stage. */
  command(...args: string[]): string {
    const done = spawnSync(join(PROGRAMS, "tenantry"), args, {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], TENANTRY_HOME: this.#home },
    });
    if (done.status !== 0) throw new Error(`tenantry ${args.join(" ")}: ${done.stderr}`);
    return done.stdout;
  }

  /** Ends everything. */
  async end(): Promise<void> {
    await this.#server.end();
    await this.#network.end();
    endLeftovers(this.#home);
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function ask<T>(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}
