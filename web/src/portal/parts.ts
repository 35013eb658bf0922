import type { Permission } from "../session/may";

/** The parts of the portal, in their order; `home` has no name in the address. */
export const PARTS = ["home", "connect", "messages", "answers", "people"] as const;

export type Part = (typeof PARTS)[number];

/** What a part is for; what it needs beyond seeing. */
const NEEDS: Partial<Record<Part, Permission>> = { connect: "control", people: "people" };

/** The part that an address names. */
export function partOf(name: string | undefined): Part | undefined {
  if (name === undefined) return "home";
  return PARTS.find((part) => part === name && part !== "home");
}

/** The parts that somebody may see. */
export function partsFor(can: (permission: Permission) => boolean): Part[] {
  return PARTS.filter((part) => {
    const needed = NEEDS[part];
    return needed === undefined || can(needed);
  });
}

/** A part's address. */
export const addressOf = (part: Part): string => (part === "home" ? "/bot" : `/bot/${part}`);
