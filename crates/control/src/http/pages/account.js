// Setting up, accepting an invitation, choosing a password, signing in.
"use strict";

const part = (id) => document.getElementById(id);
const token = location.hash.slice(1);
// What the link holds must not stay in the history of the browser.
if (token) history.replaceState(null, "", location.pathname);

const PAGES = {
  "/setup": {
    title: "Set Tenantry up",
    about: "You become this installation's first administrator.",
    fields: ["email", "name", "password"],
    send: () => ["/auth/setup", { token, email: part("email").value, name: part("name").value || undefined, password: part("password").value }],
  },
  "/invitation": {
    title: "Welcome",
    about: "Choose a password of at least 12 characters; a sentence is easy to keep.",
    fields: ["name", "password"],
    send: () => ["/auth/accept", { token, name: part("name").value || undefined, password: part("password").value }],
  },
  "/reset": {
    title: "Choose a new password",
    about: "At least 12 characters. You are signed out everywhere.",
    fields: ["password"],
    send: () => ["/auth/accept", { token, password: part("password").value }],
  },
  "/sign-in": {
    title: "Sign in",
    about: "",
    fields: ["email", "password"],
    send: () => ["/auth/sign-in", { email: part("email").value, password: part("password").value, code: part("code").value || undefined }],
  },
};

async function call(method, path, body, headers = {}) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { ok: answer.ok, body: text ? JSON.parse(text) : undefined };
}

function show(page) {
  document.title = `${page.title} – Tenantry`;
  part("title").textContent = page.title;
  part("about").textContent = page.about;
  for (const field of page.fields) part(`${field}-field`).hidden = false;
  part("email").required = page.fields.includes("email");
  part("password").autocomplete = page === PAGES["/sign-in"] ? "current-password" : "new-password";
  part("form").hidden = false;
  part(page.fields[0]).focus();
  part("form").onsubmit = (event) => {
    event.preventDefault();
    send(page);
  };
}

async function send(page) {
  part("submit").disabled = true;
  part("error").textContent = "";
  try {
    const [path, body] = page.send();
    const answer = await call("POST", path, body);
    if (answer.ok) {
      location.assign(path === "/auth/accept" ? "/sign-in" : "/");
      return;
    }
    if (answer.body?.code === "code_required") {
      part("code-field").hidden = false;
      part("code").focus();
    }
    const errors = answer.body?.errors?.map((error) => `${error.field}: ${error.message}`);
    part("error").textContent = errors?.join("; ") || answer.body?.detail || "That did not work; try again.";
  } catch {
    part("error").textContent = "The server does not answer; try again.";
  } finally {
    part("submit").disabled = false;
  }
}

function link(text, href) {
  const anchor = document.createElement("a");
  anchor.href = href;
  anchor.textContent = text;
  return anchor;
}

async function home() {
  const session = await call("GET", "/auth/session");
  if (!session.ok) {
    location.replace("/sign-in");
    return;
  }
  const { user, csrf_token: csrf } = session.body;
  part("title").textContent = `Hello, ${user.name}`;
  const roles = user.tenants.map((tenant) => `${tenant.role.toLowerCase()} of ${tenant.name}`);
  if (user.role) roles.unshift(user.role.toLowerCase());
  part("about").textContent = `You are signed in as ${user.email}${roles.length ? `: ${roles.join(", ")}` : ""}.`;
  const out = document.createElement("button");
  out.className = "plain";
  out.textContent = "Sign out";
  out.onclick = async () => {
    await call("POST", "/auth/sign-out", undefined, { "x-csrf-token": csrf });
    location.assign("/sign-in");
  };
  part("more").replaceChildren(link("Documentation of the API", "/docs"), document.createElement("br"), out);
}

async function start() {
  const page = PAGES[location.pathname];
  if (!page) {
    await home();
    return;
  }
  show(page);
  if (page === PAGES["/sign-in"]) {
    const methods = (await call("GET", "/auth/methods")).body;
    if (methods?.setup_needed) {
      part("about").textContent = "Nobody is an administrator yet: open the set-up link that the server printed when it started.";
    }
    if (methods?.oidc) part("more").replaceChildren(link(`Sign in with ${methods.oidc}`, "/auth/oidc/start"));
  } else if (!token) {
    part("error").textContent = "This address lacks what the link holds; open the whole link.";
  }
}

start().catch(() => {
  part("about").textContent = "The server does not answer; load the page again.";
});
