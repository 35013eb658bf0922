// The simulator's HTTP interface, as this page uses it.

/** What the simulator said no to, in its words. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The simulator did not answer. */
const SILENCE = "The simulator does not answer. Does the demo still run?";

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal("unreachable", SILENCE);
  }
  const text = await answer.text();
  let value = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    throw new Refusal("no_json", `${path} was answered with ${answer.status}`);
  }
  if (!answer.ok) {
    throw new Refusal(value?.code ?? "", value?.message ?? `${path} was answered with ${answer.status}`);
  }
  return value;
}

const account = (phone) => `/accounts/${encodeURIComponent(phone)}`;
const contact = (phone) => `/contacts/${encodeURIComponent(phone)}`;

export const network = {
  state: () => call("GET", "/state"),
  conversation: (phone) => call("GET", `${contact(phone)}/messages`),
  addAccount: (name, phone) => call("POST", "/accounts", { name, phone }),
  addContact: (name, phone) => call("POST", "/contacts", { name, phone }),
  scan: (qr, phone) => call("POST", "/scan", { qr, phone }),
  enterCode: (code, phone) => call("POST", "/enter-code", { code, phone }),
  /** `stall`, `resume`, `cut` or `logout`. */
  order: (phone, order) => call("POST", `${account(phone)}/${order}`, {}),
  down: () => call("POST", "/network", { refuse: true, cut_linked: true, cut_unlinked: true }),
  up: () => call("POST", "/network", { refuse: false }),
  write: (phone, to, text) => call("POST", `${contact(phone)}/messages`, { to, text }),
  /** `composing` or `paused`. */
  types: (phone, to, sign) => call("POST", `${contact(phone)}/typing`, { to, sign }),
  read: (phone, message) => call("POST", `${contact(phone)}/receipts`, { message, kind: "read" }),
};

/**
 * Follows what happens. `happened` gets each event; `anew` is called whenever events may have been
 * missed, at the beginning too; `lost` when the stream is interrupted.
 */
export function follow({ happened, anew, lost }) {
  const stream = new EventSource("/events");
  stream.addEventListener("open", anew);
  stream.addEventListener("missed", anew);
  stream.addEventListener("message", (message) => happened(JSON.parse(message.data)));
  stream.addEventListener("error", () => lost(SILENCE));
}
