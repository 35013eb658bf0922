import { t } from "../i18n/language.svelte";
import { askBeforeLeaving } from "../navigation/location.svelte";
import { confirm } from "./confirmation.svelte";

/** Has somebody asked before they leave what they have not saved; to be called while a component is made. */
export function keepUnsaved(isUnsaved: () => boolean): void {
  $effect(() => {
    if (!isUnsaved()) return;
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", onUnload);
    const done = askBeforeLeaving(() =>
      confirm({
        title: t("word.unsaved"),
        consequences: [t("word.unsaved.about")],
        action: t("word.discard"),
        danger: true,
      }),
    );
    return () => {
      removeEventListener("beforeunload", onUnload);
      done();
    };
  });
}
