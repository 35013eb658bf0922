/** Texts of connecting WhatsApp. */
export const connect = {
  "connect.1": "Open WhatsApp on the bot’s phone",
  "connect.1.about":
    "Tap Settings (on Android the three dots), then Linked devices, then Link a device.",
  "connect.2": "Scan the code, or type one in",
  "connect.3": "Connected",
  "connect.done": "done",
  "connect.detail": "What exactly happened",
  "connect.start": "Start the bot",
  "connect.restart": "Start the bot again",
  "connect.tryNow": "Try again now",
  "connect.retry": "The bot tries again by itself {when}.",
  "connect.unreached": "The bot could not get through to WhatsApp.",
  "connect.staff":
    "WhatsApp is not connected. Only an owner of this bot can connect it: please tell one of them.",
  "connect.qr.how": "Hold the phone so that it sees this code.",
  "connect.qr.alt":
    "The code to scan with WhatsApp. If you cannot scan it, use a code that you type in instead.",
  "connect.qr.left": "A new code comes in {n} s",
  "connect.qr.copy": "Copy the code’s text",
  "connect.qr.new": "Show a new code",
  "connect.qr.instead": "Scan a code instead",
  "connect.code.instead": "Use a code to type in instead",
  "connect.code.instead.about": "For when you read this on the very phone.",
  "connect.code.how":
    "WhatsApp will ask for eight letters and digits. Which number has the phone that shall be the bot?",
  "connect.code.phone": "The phone’s number",
  "connect.code.phone.hint":
    "With the country’s code, as in +254 700 000 001. Leave it empty for the number that is on record.",
  "connect.code.phone.wrong":
    "Begin with the country’s code and leave out the 0: +254 700 000 001, not 0700 000 001.",
  "connect.code.get": "Get the code",
  "connect.code.where":
    "On the phone {phone}: tap “Link with phone number instead”, or the message that WhatsApp shows, and type this in:",
  "connect.code.alt": "The code is {code}",
  "connect.code.copy": "Copy the code",
  "connect.code.left": "good for {time}",
  "connect.connected.as": "Connected as {phone}",
  "connect.connected.since": "Connected {ago}. You can close this page; the bot goes on by itself.",
  "connect.step.stopped": "The bot is switched off",
  "connect.step.stopped.about": "It has to run before it can be connected.",
  "connect.step.stopping": "The bot is being switched off",
  "connect.step.stopping.about": "This takes a few seconds.",
  "connect.step.absent": "Waiting for the bot",
  "connect.step.absent.about":
    "The bot is just starting, or it is switched off. If nothing happens here within a minute, ask whoever gave you this link to start it.",
  "connect.step.starting": "The bot is starting",
  "connect.step.starting.about": "A code appears here in a moment.",
  "connect.step.failed": "The bot cannot be kept running",
  "connect.step.failed.about":
    "Its program stopped with an error. Start it again; if that does not help, tell your operator.",
  "connect.step.own_program": "This bot runs a program of its own",
  "connect.step.own_program.about":
    "It is connected with its own means, not here. Ask whoever made the program.",
  "connect.step.scan": "Waiting for you to scan the code",
  "connect.step.next_code": "The next code is coming",
  "connect.step.next_code.about": "WhatsApp sends another one in a moment.",
  "connect.step.code_requested": "Asking WhatsApp for a code",
  "connect.step.code_requested.about": "This takes a few seconds.",
  "connect.step.code": "Waiting for you to type in the code",
  "connect.step.code_expired": "The code is not good any more",
  "connect.step.code_expired.about": "Nobody typed it in in time. Get another one.",
  "connect.step.timed_out": "Nobody used the code in time",
  "connect.step.timed_out.about":
    "Codes are shown for a few minutes only. Have the phone ready, then show a new one.",
  "connect.step.cancelled": "Connecting was called off",
  "connect.step.cancelled.about": "Show a new code when you are ready.",
  "connect.step.refused": "WhatsApp gives no code for this number",
  "connect.step.refused.about":
    "Check the number and wait a few minutes before you ask again, or scan a code instead.",
  "connect.step.passkey_needed": "The phone asks for a passkey",
  "connect.step.passkey_needed.about":
    "A bot has none. In WhatsApp on the phone: Settings, Account, Passkeys: remove the passkey, then show a new code.",
  "connect.step.reconnecting": "The bot is connecting to WhatsApp",
  "connect.step.reconnecting.about": "The phone is linked already; this takes a few seconds.",
  "connect.step.trouble": "WhatsApp does not let the bot in",
  "connect.step.logged_out": "The phone logged the bot out",
  "connect.step.logged_out.about":
    "Somebody removed it under Linked devices, or WhatsApp did. Show a new code to link it again.",
  "connect.step.connected": "Connected",
  "connect.trouble.unreachable":
    "WhatsApp cannot be reached. This is mostly the network’s fault, and the bot tries again by itself.",
  "connect.trouble.refused": "WhatsApp refuses the login and does not say why. Tell your operator.",
  "connect.trouble.outdated":
    "The bot’s version is too old for WhatsApp. Your operator has to update it.",
  "connect.trouble.banned_for_now":
    "WhatsApp has blocked this number for some time, mostly because of many messages to people who did not write first. Wait until that is over.",
  "connect.trouble.banned":
    "WhatsApp has blocked this number. Open WhatsApp on the phone: it says why, and how to ask for a review.",
  "connect.trouble.deaf":
    "The connection falls silent again and again. Check that the phone is on and online, and tell your operator.",
  "connect.trouble.storage":
    "The bot cannot store what comes in: the disk may be full. Tell your operator; messages wait at WhatsApp.",
} as const;
