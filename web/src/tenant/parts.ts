import type { Permission } from "../session/may";

/** The parts of a tenant's page, in their order, and what whoever looks must be able to do with the tenant. */
export const PARTS = [
  { name: "overview", needs: "read" },
  { name: "connect", needs: "pair" },
  { name: "logs", needs: "read" },
  { name: "conversations", needs: "read" },
  { name: "rules", needs: "read" },
  { name: "settings", needs: "read" },
  { name: "events", needs: "read" },
  { name: "audit", needs: "admin" },
] as const satisfies readonly { name: string; needs: Permission }[];

export type Part = (typeof PARTS)[number]["name"];

/** The part that an address names; the first where it names none, `undefined` where there is no such part. */
export function partOf(
  word: string | undefined,
  may: (needs: Permission) => boolean,
): Part | undefined {
  if (word === undefined) return "overview";
  return PARTS.find(({ name, needs }) => name === word && may(needs))?.name;
}
