import type { Message } from "../message";
import type { portal as english } from "../en/portal";

export const portal: Record<keyof typeof english, Message> = {};
