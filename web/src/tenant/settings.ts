import type { Schemas } from "../api/client";
import { phoneNumber } from "../connect/phone";

/** A tenant's settings as they stand in the fields. */
export interface Fields {
  name: string;
  phone: string;
  greeting: string;
  perMinute: string;
  /** One argument a line; nothing: Tenantry's own bot. */
  command: string;
  cwd: string;
  /** One variable a line: `NAME=value`. */
  env: string;
  heartbeat: Schemas["HeartbeatMode"];
}

/** The fields as a tenant's settings fill them. */
export function fieldsOf({ name, phone, config }: Schemas["TenantView"]): Fields {
  return {
    name,
    phone: phone ?? "",
    greeting: config.greeting,
    perMinute: String(config.rate_limit_max_per_minute),
    command: (config.command ?? []).join("\n"),
    cwd: config.cwd ?? "",
    env: Object.entries(config.env ?? {})
      .map(([variable, value]) => `${variable}=${value}`)
      .join("\n"),
    heartbeat: config.heartbeat,
  };
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** Variables from lines `NAME=value`. A line without an equals sign is a variable without a value. */
export function variables(text: string): Record<string, string> {
  const entries = lines(text).map((line) => {
    const at = line.indexOf("=");
    return at === -1 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1)];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

/**
 * What has to be changed for the settings to be as the fields say; only what differs, for others may change the rest.
 * What is no number of a phone is sent as it is: the server says what is wrong with it.
 */
export function changes(view: Schemas["TenantView"], now: Fields): Schemas["UpdateTenant"] {
  const was = fieldsOf(view);
  const differs = (name: keyof Fields): boolean => was[name] !== now[name];
  return {
    ...(differs("name") ? { name: now.name } : {}),
    ...(differs("phone") ? { phone: phoneNumber(now.phone) ?? now.phone.trim() } : {}),
    ...(differs("greeting") ? { greeting: now.greeting } : {}),
    ...(differs("perMinute") ? { rate_limit_max_per_minute: whole(now.perMinute) } : {}),
    ...(differs("command") ? { command: lines(now.command) } : {}),
    ...(differs("cwd") ? { cwd: now.cwd.trim() } : {}),
    ...(differs("env") ? { env: variables(now.env) } : {}),
    ...(differs("heartbeat") ? { heartbeat: now.heartbeat } : {}),
  };
}

/** A whole number from a field; what is none becomes 0, which the server refuses in its own words where it is too little. */
export function whole(text: string): number {
  const number = Math.trunc(Number(text));
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/** Whether the bot has to be restarted for a change to be in use: what runs is said when it starts. */
export const needsRestart = (wish: Schemas["UpdateTenant"]): boolean =>
  ["command", "cwd", "env", "heartbeat"].some((name) => name in wish);

/** The numbers of a tenant's pacing, in the order in which they are shown. */
export const NUMBERS = {
  contact: ["max", "minutes"],
  typing: ["per_character_ms", "least_ms", "most_ms", "jitter_percent"],
  warm_up: ["first_day", "growth_percent", "most"],
  slowdown: ["pause_seconds", "recovery_minutes"],
} as const satisfies { [Group in keyof Schemas["Pacing"]]?: readonly string[] };

export type Group = keyof typeof NUMBERS;

/** A number of a pacing. */
export function numberIn(pacing: Schemas["Pacing"], group: Group, name: string): number {
  const value = (pacing[group] as unknown as Record<string, unknown>)[name];
  return typeof value === "number" ? value : 0;
}

/** The pacing with another number. */
export function withNumber(
  pacing: Schemas["Pacing"],
  group: Group,
  name: string,
  value: number,
): Schemas["Pacing"] {
  return { ...pacing, [group]: { ...pacing[group], [name]: value } };
}
