import { answered } from "../api/client";
import type { TenantAccess } from "../api/tenant";
import { toastProblem } from "../ui/toasts.svelte";

/** What helps a bot that does not work. */
export type Mend = "start" | "restart" | "reconnect";

const PATHS = {
  start: "/admin/tenants/{tenant}/worker/start",
  restart: "/admin/tenants/{tenant}/worker/restart",
  reconnect: "/admin/tenants/{tenant}/session/reconnect",
} as const satisfies Record<Mend, string>;

/** Mends one tenant's bot; what goes wrong is told in a toast. */
export class Mending {
  busy = $state(false);

  async mend({ api, tenant }: TenantAccess, what: Mend): Promise<void> {
    this.busy = true;
    try {
      await answered<unknown>(api.POST(PATHS[what], { params: { path: { tenant } } }));
    } catch (error) {
      toastProblem(error);
    } finally {
      this.busy = false;
    }
  }
}
