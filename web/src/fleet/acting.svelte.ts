import { answered, api } from "../api/client";
import { t } from "../i18n/language.svelte";
import { confirm } from "../ui/confirmation.svelte";
import { toast, toastProblem } from "../ui/toasts.svelte";
import type { Row } from "./rows";

/** What can be done to a worker. */
export type Action = "start" | "stop" | "restart" | "force-restart";

/** Does it, and waits until it is so. */
export async function act(tenant: string, action: Action): Promise<void> {
  const params = { path: { tenant } };
  const asked = {
    start: () => api.POST("/admin/tenants/{tenant}/worker/start", { params }),
    stop: () => api.POST("/admin/tenants/{tenant}/worker/stop", { params }),
    restart: () => api.POST("/admin/tenants/{tenant}/worker/restart", { params }),
    "force-restart": () => api.POST("/admin/tenants/{tenant}/worker/force-restart", { params }),
  };
  await answered(asked[action]());
}

/** Tenants to which something is being done from this page, each with what. */
let busy = $state.raw<ReadonlyMap<string, Action>>(new Map());

/** What is being done to a tenant. */
export const underWay = (id: string): Action | undefined => busy.get(id);

/** Does something to one tenant as somebody asked for it, and says how it went. */
export async function actOn(row: Row, action: Action): Promise<void> {
  if (busy.has(row.id) || !(await isMeant(row, action))) return;
  busy = new Map(busy).set(row.id, action);
  try {
    await act(row.id, action);
    toast(t(`fleet.did.${action}`, { name: row.name }));
  } catch (error) {
    toastProblem(error);
  } finally {
    busy = new Map([...busy].filter(([id]) => id !== row.id));
  }
}

async function isMeant(row: Row, action: Action): Promise<boolean> {
  if (action !== "stop" && action !== "force-restart") return true;
  return confirm({
    title: t(`fleet.ask.${action}`, { name: row.name }),
    consequences: [t(`fleet.ask.${action}.about`)],
    action: t(`action.${action}`),
    danger: true,
  });
}
