import { t } from "../i18n/language.svelte";
import type { Question } from "../ui/confirmation.svelte";
import type { User } from "./access";

/** What can be done with an account at once. */
export type Step = "reset" | "signOut" | "totp" | "lock" | "delete";

/** What is asked before it is done. */
export const QUESTIONS: Record<Step, (user: User) => Question> = {
  reset: ({ name, email }) => ({
    title: t("people.reset.ask", { name }),
    consequences: [t("people.reset.1", { email }), t("people.reset.2")],
    action: t("people.reset"),
  }),
  signOut: ({ name, email }) => ({
    title: t("people.signOut.ask", { name }),
    consequences: [t("people.signOut.1", { email }), t("people.signOut.2")],
    action: t("people.signOut"),
    danger: true,
  }),
  totp: ({ name }) => ({
    title: t("people.totp.ask", { name }),
    consequences: [t("people.totp.1"), t("people.totp.2", { name })],
    action: t("people.totp"),
    danger: true,
  }),
  lock: ({ name, email }) => ({
    title: t("people.lock.ask", { name }),
    consequences: [t("people.lock.1", { email }), t("people.lock.2")],
    action: t("people.lock"),
    danger: true,
  }),
  delete: ({ name, email }) => ({
    title: t("people.delete.ask", { name }),
    consequences: [
      t("people.delete.1", { email }),
      t("people.delete.2", { name }),
      t("people.delete.3"),
    ],
    action: t("people.delete"),
    danger: true,
    typed: email,
  }),
};
