// The phones of businesses: each is an account, with at most one bot linked to it.

import { network } from "./network.js";
import { attempt, busy, element, phoneHead, say } from "./page.js";

/** How an account is, in one word of this page. */
export function condition(account) {
  // A phone whose linked device is gone, as after a reset of the session, scans too.
  if (account.screen !== null && (account.link === "unlinked" || account.link === "offline")) {
    return "waiting";
  }
  if (account.silent) {
    return "silent";
  }
  return account.link;
}

/** What each word looks like: its name, and what one can do. */
const CONDITIONS = {
  unlinked: ["Not linked", "No bot. Start the tenant in the dashboard: its code appears here by itself."],
  waiting: ["Code to scan", "The shop's screen shows a QR code for this phone."],
  offline: ["Cut off", "A bot is linked, but has no connection. It comes back by itself."],
  connecting: ["Connecting", "The bot logs in."],
  online: ["Connected", "The bot is linked and gets messages."],
  silent: ["Silent", "The connection is open, but nothing passes. The bot has to notice by itself."],
};

/** What a bot shows to be typed into the phone. */
const PAIRING_CODE = /^[a-z0-9]{4}-?[a-z0-9]{4}$/iu;

export class BusinessPhone {
  #account;
  #state = element("p", { class: "state", role: "status" });
  #hint = element("p", { class: "hint" });
  #told = element("p", { class: "said", role: "alert" });
  #orders = element("div", { class: "orders" });
  #scan;
  #silence;
  #cut;
  #logout;

  constructor(account) {
    const { phone, name } = account;
    const title = `phone-${phone}`;
    const button = (text, deed) => this.#button(text, name, deed);
    this.#scan = button("Scan the code", () => network.scan(this.#account.screen, phone));
    this.#scan.classList.add("main");
    this.#silence = button("Go silent", () => network.order(phone, this.#account.silent ? "resume" : "stall"));
    this.#cut = button("Cut the connection", () => network.order(phone, "cut"));
    this.#logout = button("Log out the device", () => network.order(phone, "logout"));
    this.#logout.classList.add("grave");
    this.#orders.append(this.#silence, this.#cut, this.#logout);
    this.root = element(
      "article",
      { class: "phone business", "aria-labelledby": title },
      phoneHead(title, name, phone),
      this.#state,
      this.#hint,
      this.#scan,
      this.#orders,
      this.#paste(phone, name),
      this.#told,
    );
    this.update(account);
  }

  /** Shows the account as it is now. */
  update(account) {
    this.#account = account;
    const now = condition(account);
    const [word, hint] = CONDITIONS[now];
    this.root.dataset.condition = now;
    say(this.#state, word);
    const waiting = account.undelivered;
    const queued = waiting === 0 ? "" : ` ${waiting} message${waiting === 1 ? " waits" : "s wait"} for it.`;
    say(this.#hint, hint + queued);
    this.#scan.hidden = now !== "waiting";
    const connected = account.link === "online" || account.link === "connecting";
    say(this.#silence, account.silent ? "Resume" : "Go silent");
    this.#silence.disabled = !connected;
    this.#cut.disabled = !connected;
    this.#orders.hidden = account.link === "unlinked";
  }

  #button(text, whose, deed) {
    const button = element("button", { type: "button", "aria-description": whose }, text);
    button.addEventListener("click", () => {
      if (!busy(button)) {
        attempt(button, this.#told, deed);
      }
    });
    return button;
  }

  /**
   * For a code that the page is not told of: it is copied from a screen by hand. Eight letters are a
   * pairing code, which is typed into the phone; what is longer is a QR code's text.
   */
  #paste(phone, name) {
    const field = element("textarea", {
      rows: "3",
      required: true,
      spellcheck: "false",
      autocomplete: "off",
      "aria-label": `QR code's text or pairing code, for ${name}`,
      placeholder: "A QR code's text, 2@…, or a pairing code, ABCD-1234",
    });
    const button = element("button", { type: "submit" }, "Use it");
    const form = element("form", {}, field, button);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const code = field.value.trim();
      const link = PAIRING_CODE.test(code) ? network.enterCode : network.scan;
      if (!busy(button) && (await attempt(button, this.#told, () => link(code, phone)))) {
        field.value = "";
      }
    });
    return element("details", { class: "paste" }, element("summary", {}, "Paste a code"), form);
  }
}
