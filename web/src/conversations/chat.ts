/** With whom a chat is. A `hidden` number is one that WhatsApp keeps to itself: only its substitute is known. */
export interface Chat {
  kind: "person" | "hidden" | "group" | "other";
  /** The number, or what stands for it, without the address's ending. */
  name: string;
}

const KINDS: Record<string, Chat["kind"]> = {
  "s.whatsapp.net": "person",
  "c.us": "person",
  lid: "hidden",
  "g.us": "group",
};

/** Understands a WhatsApp address such as `254700000001@s.whatsapp.net`. */
export function chatOf(address: string): Chat {
  const [user = "", server = ""] = address.split("@");
  // A device of a person's (`254700000001:12`) is that person.
  const name = user.replace(/:\d+$/, "");
  return { kind: KINDS[server] ?? "other", name: name === "" ? address : name };
}
