import type { Message } from "../message";
import type { people as english } from "../en/people";

export const people: Record<keyof typeof english, Message> = {};
