import type { Message } from "../message";
import type { system as english } from "../en/system";

export const system: Record<keyof typeof english, Message> = {};
