import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Variables of the caller's that the programs see; a `DATABASE_URL` of something else must not become theirs. */
const PASSED_ON = ["HOME", "LANG", "PATH", "TMPDIR", "USER"];

/** How often is looked for what must come to be, in milliseconds. */
const PACE = 50;

/** The value, once there is one; what is waited for is named in the error. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  patience = 30_000,
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited ${patience / 1000} s for ${what}`);
    await sleep(PACE);
  }
}

/** A program that runs; its words are kept. */
export class Program {
  out = "";
  err = "";
  readonly #child: ChildProcess;
  readonly #name: string;

  constructor(name: string, file: string, args: string[], variables: Record<string, string>) {
    const passed = PASSED_ON.flatMap((it) => {
      const value = process.env[it];
      return value === undefined ? [] : [[it, value] as const];
    });
    this.#name = name;
    this.#child = spawn(file, args, {
      env: { ...Object.fromEntries(passed), ...variables },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child.stdout?.on("data", (data: Buffer) => (this.out += data.toString()));
    this.#child.stderr?.on("data", (data: Buffer) => (this.err += data.toString()));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} did not start`);
    return this.#child.pid;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** What the program writes, once it matches. */
  wrote(pattern: RegExp): Promise<RegExpMatchArray> {
    return until(`${this.#name} to write ${pattern}`, () => {
      const found = pattern.exec(this.out) ?? pattern.exec(this.err);
      if (found === null && this.#ended) throw new Error(`${this.#name} ended: ${this.err}`);
      return found ?? undefined;
    });
  }

  /** Ends it, politely unless told otherwise. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#ended) return;
    this.#child.kill(signal);
    const ended = () => (this.#ended ? true : undefined);
    await until(`${this.#name} to end`, ended, 10_000).catch(() => this.#child.kill("SIGKILL"));
  }
}

/** Kills every process whose environment names something in this home: what programs have started themselves. */
export function endLeftovers(home: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = `${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
      // A worker knows its own folder and socket alone.
      const isOurs = ["/", "\0"].some((end) => environment.includes(`=${home}${end}`));
      if (isOurs && Number(pid) !== process.pid) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended, or is somebody else's.
    }
  }
}
