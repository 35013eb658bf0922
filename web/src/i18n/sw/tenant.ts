import type { Message } from "../message";
import type { tenant as english } from "../en/tenant";

export const tenant: Record<keyof typeof english, Message> = {};
