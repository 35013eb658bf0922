// Small things that every part of the page needs.

/**
 * Makes an element. Attributes are set as they are, `on…` are listeners, `false` and `null` leave an
 * attribute out; children are elements or text, which is never read as HTML.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== null) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children);
  return made;
}

/** Changes a text only if it is another, so that a screen reader does not say it again. */
export function say(where, text) {
  if (where.textContent !== text) {
    where.textContent = text;
  }
}

/** The letters in the circle before a name. */
export function initials(name) {
  const letters = name.split(/\s+/u).filter(Boolean).map((word) => [...word][0].toUpperCase());
  return letters.slice(0, 2).join("") || "?";
}

/** The place of a name's colour among eight. */
export function hue(text) {
  let sum = 0;
  for (const letter of text) {
    sum = (sum * 31 + letter.codePointAt(0)) % 997;
  }
  return String(sum % 8);
}

/** The head of a phone: circle, name, number. */
export function phoneHead(id, name, phone) {
  return element(
    "header",
    { class: "phone-head" },
    element("span", { class: "avatar", "data-hue": hue(phone), "aria-hidden": "true" }, initials(name)),
    element(
      "div",
      {},
      element("h3", { id }, name),
      element("p", { class: "number" }, `+${phone}`),
    ),
  );
}

/**
 * Carries out what a button asks for. The button cannot be pressed again meanwhile; what goes wrong
 * is told in `told`. Gives whether it went well.
 */
export async function attempt(button, told, deed) {
  button.setAttribute("aria-disabled", "true");
  button.setAttribute("aria-busy", "true");
  try {
    say(told, "");
    await deed();
    return true;
  } catch (error) {
    say(told, error.message);
    return false;
  } finally {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("aria-busy");
  }
}

/** Whether a button is at work on an earlier press. */
export function busy(button) {
  return button.getAttribute("aria-busy") === "true";
}

/** Brings the elements of a shelf into the order of `items`, makes new ones and removes old ones. */
export function arrange(shelf, cards, items, make) {
  const wanted = new Set(items.map((item) => item.phone));
  for (const [phone, card] of cards) {
    if (!wanted.has(phone)) {
      card.root.remove();
      cards.delete(phone);
    }
  }
  items.forEach((item, place) => {
    let card = cards.get(item.phone);
    if (card === undefined) {
      card = make(item);
      cards.set(item.phone, card);
    }
    if (shelf.children[place] !== card.root) {
      shelf.insertBefore(card.root, shelf.children[place] ?? null);
    }
  });
}
