import { expect, test } from "vitest";

import {
  askBeforeSigningOut,
  forgetPerson,
  maySignOut,
  welcomeBack,
  whenBack,
  whenPersonChanges,
} from "./person";

test("who registered is told, until they take it back", () => {
  const told: string[] = [];
  const done = [whenPersonChanges(() => told.push("forgotten")), whenBack(() => told.push("back"))];
  forgetPerson();
  welcomeBack();
  for (const end of done) end();
  forgetPerson();
  welcomeBack();
  expect(told).toEqual(["forgotten", "back"]);
});

test("one who minds keeps somebody from signing out, and the others are not asked", async () => {
  expect(await maySignOut()).toBe(true);
  const asked: string[] = [];
  const ask = (name: string, may: boolean) =>
    askBeforeSigningOut(() => {
      asked.push(name);
      return Promise.resolve(may);
    });
  const done = [ask("first", true), ask("second", false), ask("third", true)];
  expect(await maySignOut()).toBe(false);
  expect(asked).toEqual(["first", "second"]);
  for (const end of done) end();
  expect(await maySignOut()).toBe(true);
});
