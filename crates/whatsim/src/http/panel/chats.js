// The phones of contacts: a chat with each business.

import { network } from "./network.js";
import { attempt, busy, element, initials, hue, phoneHead, say } from "./page.js";

/** Older bubbles are left out. */
const SHOWN = 200;
/** A sign of typing is repeated at this interval while one goes on, in milliseconds. */
const TYPING_AGAIN = 4000;
/** Who types nothing for so long has stopped, in milliseconds. */
const TYPING_ENDS = 5000;
/** A bot that said that it types, and then nothing more, has stopped, in milliseconds. */
const BOT_TYPES = 15000;

const TICKS = {
  held: ["◷", "waits for the bot"],
  queued: ["✓", "sent"],
  delivered: ["✓✓", "delivered"],
  read: ["✓✓", "read"],
};

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The bubbles of a contact's chat with a business, oldest first. */
export function bubbles(conversation, business) {
  const out = conversation.sent
    .filter((text) => text.to === business)
    .map((text) => ({ id: text.id, way: "out", at: text.at, text: worded(text), delivery: text.delivery }));
  const into = conversation.received
    .filter((text) => text.from === business && text.group === undefined)
    .map((text) => ({ id: text.id, way: "in", at: text.at, text: worded(text), index: text.index }));
  // Whoever answers in the same second answers what was written before.
  return [...out, ...into].sort((a, b) => a.at - b.at || (a.way === b.way ? 0 : a.way === "out" ? -1 : 1)).slice(-SHOWN);
}

function worded(text) {
  if (text.reacts_to !== undefined) {
    return `reacted with ${text.text || "nothing any more"}`;
  }
  if (text.media !== undefined) {
    const kind = typeof text.media === "string" ? text.media : (text.media.kind ?? "file");
    return `[${kind}] ${text.text}`.trim();
  }
  return text.text;
}

export class ContactPhone {
  #contact;
  #accounts = [];
  #conversation = { received: [], sent: [], received_total: 0 };
  /** The business whose chat is open. */
  #open = null;
  /** The business whose tab was last brought into view. */
  #inView = null;
  /** Of each business, the index after the newest text that was seen. */
  #seen = new Map();
  #loaded = false;
  #typing = new Map();
  #ownSign = { to: null, at: 0, end: 0 };
  #items = new Map();
  #tabs = element("nav", { class: "chats" });
  #log = element("ol", { class: "log", role: "log", tabindex: "0" });
  #botTypes = element("p", { class: "typing", "aria-live": "polite" });
  #field;
  #send = element("button", { type: "submit", class: "main" }, "Send");
  #told = element("p", { class: "said", role: "alert" });

  constructor(contact) {
    this.#contact = contact;
    const title = `contact-${contact.phone}`;
    this.#tabs.setAttribute("aria-label", `Chats of ${contact.name}`);
    this.#field = element("input", { type: "text", autocomplete: "off", maxlength: "4000", placeholder: "Write a message" });
    this.#field.addEventListener("input", () => this.#types());
    const form = element("form", { class: "writing" }, this.#field, this.#send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write();
    });
    this.root = element(
      "article",
      { class: "phone contact", "aria-labelledby": title },
      phoneHead(title, contact.name, contact.phone),
      this.#tabs,
      this.#log,
      this.#botTypes,
      form,
      this.#told,
    );
  }

  /** Shows which businesses there are. */
  update(accounts) {
    this.#accounts = accounts;
    if (!accounts.some((account) => account.phone === this.#open)) {
      this.#open = null;
    }
    this.#draw();
  }

  /** Shows what was said. */
  said(conversation) {
    this.#conversation = conversation;
    if (!this.#loaded) {
      this.#loaded = true;
      this.#accounts.forEach((account) => this.#see(account.phone));
    }
    this.#draw();
  }

  /** A bot types, or stopped. */
  botTypes(business, types) {
    clearTimeout(this.#typing.get(business));
    this.#typing.delete(business);
    if (types) {
      this.#typing.set(business, setTimeout(() => this.botTypes(business, false), BOT_TYPES));
    }
    this.#drawTyping();
  }

  /** The page came into view: what is open in it is read. */
  looked() {
    this.#readOpen();
  }

  #choose() {
    const last = [...this.#conversation.sent.map((text) => [text.at, text.to]), ...this.#conversation.received.map((text) => [text.at, text.from])]
      .filter(([, phone]) => this.#accounts.some((account) => account.phone === phone))
      .sort((a, b) => b[0] - a[0])[0];
    const linked = this.#accounts.find((account) => account.link !== "unlinked");
    return last?.[1] ?? (linked ?? this.#accounts[0])?.phone ?? null;
  }

  #draw() {
    if (this.#open === null && this.#loaded) {
      this.#open = this.#choose();
    }
    const business = this.#accounts.find((account) => account.phone === this.#open);
    this.#drawTabs();
    this.#drawLog(business);
    this.#drawTyping();
    const name = business?.name ?? "";
    this.#field.setAttribute("aria-label", `Message from ${this.#contact.name} to ${name}`);
    this.#log.setAttribute("aria-label", `Chat of ${this.#contact.name} with ${name}`);
    const linked = business !== undefined && business.link !== "unlinked";
    this.#field.disabled = business === undefined;
    this.#field.placeholder = linked ? "Write a message" : "No bot is linked there yet";
    this.#readOpen();
  }

  #drawTabs() {
    for (const [place, account] of this.#accounts.entries()) {
      let tab = this.#tabs.children[place];
      if (tab?.dataset.phone !== account.phone) {
        const { phone, name } = account;
        tab = element(
          "button",
          { type: "button", "data-phone": phone, title: name, onclick: () => this.#show(phone) },
          element("span", { class: "avatar small", "data-hue": hue(phone), "aria-hidden": "true" }, initials(name)),
          element("span", { class: "tab-name" }, name),
          element("span", { class: "unread" }),
        );
        this.#tabs.insertBefore(tab, this.#tabs.children[place] ?? null);
      }
      tab.setAttribute("aria-current", String(account.phone === this.#open));
      const unread = this.#unread(account.phone);
      const badge = tab.querySelector(".unread");
      say(badge, unread === 0 ? "" : String(unread));
      badge.setAttribute("aria-label", unread === 0 ? "" : `${unread} unread`);
    }
    while (this.#tabs.children.length > this.#accounts.length) {
      this.#tabs.lastElementChild.remove();
    }
    if (this.#inView !== this.#open) {
      this.#inView = this.#open;
      const tab = this.#tabs.querySelector('[aria-current="true"]');
      if (tab !== null) {
        this.#tabs.scrollLeft = tab.offsetLeft - (this.#tabs.clientWidth - tab.offsetWidth) / 2;
      }
    }
  }

  #drawLog(business) {
    const chat = business === undefined ? [] : bubbles(this.#conversation, business.phone);
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    const wanted = new Set(chat.map((bubble) => bubble.id));
    for (const [id, item] of this.#items) {
      if (!wanted.has(id)) {
        item.remove();
        this.#items.delete(id);
      }
    }
    chat.forEach((bubble, place) => {
      const item = this.#items.get(bubble.id) ?? this.#bubble(bubble);
      this.#items.set(bubble.id, item);
      if (this.#log.children[place] !== item) {
        this.#log.insertBefore(item, this.#log.children[place] ?? null);
      }
      tick(item, bubble);
    });
    this.#log.classList.toggle("empty", chat.length === 0);
    if (atEnd) {
      this.#log.scrollTop = this.#log.scrollHeight;
    }
  }

  #bubble(bubble) {
    const who = bubble.way === "out" ? this.#contact.name : "The bot";
    return element(
      "li",
      { class: `bubble ${bubble.way}` },
      element("span", { class: "hidden" }, `${who}: `),
      element("span", { class: "words" }, bubble.text),
      element(
        "span",
        { class: "stamp" },
        element("time", { datetime: new Date(bubble.at * 1000).toISOString() }, clock.format(bubble.at * 1000)),
        ...(bubble.way === "out" ? [element("span", { class: "ticks", role: "img" })] : []),
      ),
    );
  }

  #drawTyping() {
    const name = this.#accounts.find((account) => account.phone === this.#open)?.name ?? "";
    say(this.#botTypes, this.#typing.has(this.#open) ? `${name} is typing…` : "");
  }

  #show(business) {
    this.#stopTyping();
    this.#open = business;
    say(this.#told, "");
    this.#draw();
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #newest(business) {
    const from = this.#conversation.received.filter((text) => text.from === business);
    return from.length === 0 ? 0 : from.at(-1).index + 1;
  }

  #unread(business) {
    const seen = this.#seen.get(business) ?? 0;
    return this.#conversation.received.filter((text) => text.from === business && text.index >= seen).length;
  }

  #see(business) {
    this.#seen.set(business, this.#newest(business));
  }

  /** What is in view of the open chat is read, and the sender hears it. */
  #readOpen() {
    if (this.#open === null || document.hidden) {
      return;
    }
    const seen = this.#seen.get(this.#open) ?? 0;
    for (const text of this.#conversation.received) {
      if (text.from === this.#open && text.index >= seen && text.group === undefined) {
        // Nobody is harmed when the sender does not hear of it, as when its device was logged out.
        network.read(this.#contact.phone, text.id).catch(() => {});
      }
    }
    if (this.#unread(this.#open) > 0) {
      this.#see(this.#open);
      this.#drawTabs();
    }
  }

  async #write() {
    const text = this.#field.value.trim();
    if (text === "" || this.#open === null || busy(this.#send)) {
      return;
    }
    this.#stopTyping();
    const to = this.#open;
    if (await attempt(this.#send, this.#told, () => network.write(this.#contact.phone, to, text))) {
      this.#field.value = "";
      this.#log.scrollTop = this.#log.scrollHeight;
    }
    this.#field.focus();
  }

  /** The contact types; the bot hears it now and then, and when it ends. */
  #types() {
    const now = Date.now();
    const to = this.#open;
    if (to === null) {
      return;
    }
    clearTimeout(this.#ownSign.end);
    this.#ownSign.end = setTimeout(() => this.#stopTyping(), TYPING_ENDS);
    if (this.#ownSign.to !== to || now - this.#ownSign.at > TYPING_AGAIN) {
      this.#ownSign.to = to;
      this.#ownSign.at = now;
      network.types(this.#contact.phone, to, "composing").catch(() => {});
    }
  }

  #stopTyping() {
    clearTimeout(this.#ownSign.end);
    const { to } = this.#ownSign;
    this.#ownSign.to = null;
    if (to !== null) {
      network.types(this.#contact.phone, to, "paused").catch(() => {});
    }
  }
}

function tick(item, bubble) {
  const ticks = item.querySelector(".ticks");
  if (ticks !== null && ticks.dataset.delivery !== bubble.delivery) {
    const [sign, word] = TICKS[bubble.delivery];
    ticks.dataset.delivery = bubble.delivery;
    say(ticks, sign);
    ticks.setAttribute("aria-label", word);
    ticks.title = word;
  }
}
