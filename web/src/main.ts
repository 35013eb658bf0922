import { mount } from "svelte";

import App from "./App.svelte";
import { startLanguage } from "./i18n/language.svelte";
import "./app.css";

async function start(): Promise<void> {
  const target = document.getElementById("app");
  if (target === null) throw new Error("the page has no place for the program");
  await startLanguage();
  mount(App, { target });
}

void start();
