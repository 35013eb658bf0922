import type { Message } from "../message";
import type { account as english } from "../en/account";

export const account: Record<keyof typeof english, Message> = {};
