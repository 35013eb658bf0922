// The page as a whole: it fetches what an event says has changed, and hands it to the phones.

import { ContactPhone } from "./chats.js";
import { follow, network } from "./network.js";
import { arrange, attempt, busy, say } from "./page.js";
import { BusinessPhone } from "./phones.js";

/** Events that come within so many milliseconds cost one look. */
const PAUSE = 60;
/** Where made-up numbers begin. */
const FIRST_NUMBER = { "add-account": 254700000001, "add-contact": 254711000001 };

const at = (id) => document.getElementById(id);
const businesses = new Map();
const people = new Map();
/** Contacts whose conversation has to be fetched. */
const dirty = new Set();
let state = null;
let due = null;
let looking = false;
let again = false;

/** Has the state fetched soon, and the conversation of this contact. */
function look(contact) {
  if (contact !== undefined) {
    dirty.add(contact);
  }
  again = true;
  if (!looking && due === null) {
    due = setTimeout(fetchAll, PAUSE);
  }
}

async function fetchAll() {
  due = null;
  looking = true;
  again = false;
  const contacts = [...dirty];
  dirty.clear();
  try {
    state = await network.state();
    draw();
    const known = contacts.filter((phone) => people.has(phone));
    await Promise.all(known.map(async (phone) => people.get(phone)?.said(await network.conversation(phone))));
    trouble("");
  } catch (error) {
    contacts.forEach((phone) => dirty.add(phone));
    trouble(error.message);
  } finally {
    looking = false;
    // What happened meanwhile, and contacts that turned up.
    if ((again || dirty.size > 0) && at("trouble").hidden) {
      look();
    }
  }
}

function draw() {
  const { accounts, contacts, refusing } = state;
  arrange(at("businesses"), businesses, accounts, (account) => new BusinessPhone(account));
  accounts.forEach((account) => businesses.get(account.phone).update(account));
  arrange(at("people"), people, contacts, (contact) => {
    dirty.add(contact.phone);
    return new ContactPhone(contact);
  });
  people.forEach((person) => person.update(accounts));
  at("no-businesses").hidden = accounts.length > 0;
  at("no-contacts").hidden = contacts.length > 0;
  const online = accounts.filter((account) => account.link === "online" && !account.silent).length;
  const up = `The network is up, ${online} of ${accounts.length} connected`;
  say(at("network-state"), refusing ? "The network is down for all" : up);
  at("network-state").dataset.up = String(!refusing);
  at("network-order").disabled = false;
  say(at("network-order"), refusing ? "Bring the network back" : "Take the network down");
  suggestNumbers();
}

/** A free number stands in each form that asks for one. */
function suggestNumbers() {
  const taken = new Set([...state.accounts, ...state.contacts].map((one) => one.phone));
  for (const [form, first] of Object.entries(FIRST_NUMBER)) {
    const field = at(form).elements.phone;
    if (field.value === "" || (field.dataset.suggested === field.value && taken.has(field.value))) {
      let number = first;
      while (taken.has(String(number))) {
        number += 1;
      }
      field.value = String(number);
      field.dataset.suggested = field.value;
    }
  }
}

function trouble(words) {
  say(at("trouble"), words);
  at("trouble").hidden = words === "";
}

function happened(event) {
  if (event.event === "typing") {
    people.get(event.chat)?.botTypes(event.phone, event.sign !== "paused");
    return;
  }
  if (event.event === "received") {
    people.get(event.contact)?.botTypes(event.from, false);
  }
  look(event.contact);
}

function form(id, deed) {
  const form = at(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const name = form.elements.name.value.trim();
    const phone = form.elements.phone.value.trim();
    if (busy(button) || !(await attempt(button, form.querySelector(".said"), () => deed(name, phone)))) {
      return;
    }
    form.elements.name.value = form.elements.name.defaultValue;
    form.elements.phone.value = "";
    suggestNumbers();
    form.closest("details").open = false;
    form.closest("details").querySelector("summary").focus();
  });
}

form("add-account", network.addAccount);
form("add-contact", network.addContact);
at("network-order").addEventListener("click", () => {
  const button = at("network-order");
  if (!busy(button)) {
    attempt(button, at("trouble"), state?.refusing ? network.up : network.down).then((well) => {
      at("trouble").hidden = well;
    });
  }
});
document.addEventListener("visibilitychange", () => people.forEach((person) => person.looked()));

follow({
  happened,
  anew: () => {
    people.forEach((_, phone) => dirty.add(phone));
    look();
  },
  lost: trouble,
});
