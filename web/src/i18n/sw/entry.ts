import type { entry as english } from "../en/entry";
import type { Message } from "../message";

export const entry: Record<keyof typeof english, Message> = {
  "entry.setup": "Sanidi",
  "entry.signIn": "Ingia",
  "entry.forgot": "Umesahau nenosiri",
  "entry.invitation": "Karibu",
  "entry.reset": "Chagua nenosiri jipya",
  "entry.connect": "Unganisha WhatsApp",
};
