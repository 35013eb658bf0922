import { asProblem } from "../api/problem";
import { whenPersonChanges } from "../session/person";
import { wording } from "./wording.svelte";

export interface Toast {
  id: number;
  tone: "good" | "bad";
  text: string;
}

/** How long good news stays, in milliseconds. Bad news stays until it is closed. */
const STAYS = 5000;

/** The most that are shown; older ones go. */
const MOST = 4;

let list = $state<Toast[]>([]);
let last = 0;

whenPersonChanges(() => (list = []));

export const toasts = (): readonly Toast[] => list;

/** Says briefly what has happened. */
export function toast(text: string, tone: Toast["tone"] = "good"): void {
  const id = ++last;
  list = [...list, { id, tone, text }].slice(-MOST);
  if (tone === "good") setTimeout(() => dismiss(id), STAYS);
}

/** Says what went wrong. */
export const toastProblem = (error: unknown): void => toast(wording(asProblem(error)), "bad");

export function dismiss(id: number): void {
  list = list.filter((it) => it.id !== id);
}
