import { t } from "../i18n/language.svelte";
import { askBeforeSigningOut, whenPersonChanges } from "../session/person";
import { confirm } from "../ui/confirmation.svelte";
import { act } from "./acting.svelte";
import { Bulk, type BulkAction, type Progress } from "./bulk";

/** Something that is being done to many tenants, or was. */
export interface Run {
  action: BulkAction;
  progress: Progress;
}

/** One at a time; it goes on while other pages are looked at. */
let run = $state.raw<Run>();
let bulk: Bulk | undefined;

addEventListener("beforeunload", (event) => {
  // Who leaves the page leaves the rest undone.
  if (isBusy()) event.preventDefault();
});

askBeforeSigningOut(async () => {
  if (!isBusy()) return true;
  return confirm({
    title: t("fleet.bulk.leave"),
    consequences: [t("fleet.bulk.leave.about")],
    action: t("frame.signOut"),
    danger: true,
  });
});

// It was begun in the name of one person, and must not go on in another's.
whenPersonChanges(() => {
  bulk?.cancel();
  bulk = undefined;
  run = undefined;
});

/** A drawing's time: ten thousand answers are not ten thousand drawings. */
let drawing: number | undefined;

export const currentRun = (): Run | undefined => run;

/** Whether something is under way. */
export const isBusy = (): boolean => run?.progress.finished === false;

/** Does something to tenants. */
export function begin(action: BulkAction, targets: readonly { id: string; name: string }[]): void {
  if (isBusy()) return;
  const begun = new Bulk({
    targets,
    act: (id) => act(id, action),
    wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    onProgress: () => {
      drawing ??= requestAnimationFrame(() => {
        drawing = undefined;
        if (bulk === begun) show(action);
      });
    },
  });
  bulk = begun;
  show(action);
}

function show(action: BulkAction): void {
  if (bulk !== undefined) run = { action, progress: bulk.progress };
}

/** Begins nothing more. */
export const cancelRun = (): void => bulk?.cancel();

/** Tries those again that it did not work for. */
export const retryRun = (): void => bulk?.retryFailed();

/** Puts away what has ended. */
export function dismissRun(): void {
  if (isBusy()) return;
  bulk = undefined;
  run = undefined;
}
