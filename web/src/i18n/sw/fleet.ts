import type { Message } from "../message";
import type { fleet as english } from "../en/fleet";

export const fleet: Record<keyof typeof english, Message> = {};
