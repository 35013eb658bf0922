import createClient, { type Client } from "openapi-fetch";

import { send } from "./client";
import type { paths } from "./schema";

/**
 * One tenant as somebody may see it: an operator by its id, its own people through the portal, or the holder
 * of a link. All speak the same: what is asked under `/admin/tenants/{tenant}` or `/v1/tenants/{tenant}` goes to where
 * the caller is let in.
 */
export interface TenantAccess {
  /** The id, or what stands for it. */
  readonly tenant: string;
  /** How the caller is let in. */
  readonly through: "operator" | "portal" | "link";
  /** The API; only paths under `/admin/tenants/{tenant}` and `/v1/tenants/{tenant}` make sense. */
  readonly api: Client<paths>;
  /** The address of something under the tenant, such as `/stream`. */
  url(suffix: string): string;
  /** Headers that a stream needs as well. */
  readonly headers: Readonly<Record<string, string>>;
}

const PORTAL = "/portal/tenant/current";

/** A tenant, as an operator reaches it. */
export function operatorAccess(tenant: string): TenantAccess {
  const base = `/admin/tenants/${encodeURIComponent(tenant)}`;
  const api = createClient<paths>({ fetch: send });
  return { tenant, through: "operator", api, headers: {}, url: (suffix) => base + suffix };
}

/** A tenant, as one of its own people reaches it. */
export function portalAccess(tenant: string): TenantAccess {
  return throughPortal("portal", tenant, { "x-tenant-id": tenant });
}

/** A tenant, as whoever holds a link for connecting it reaches it. */
export function linkAccess(tenant: string, token: string): TenantAccess {
  return throughPortal("link", tenant, { authorization: `Bearer ${token}` });
}

/** Where the portal has what an operator finds at a path. */
export function portalPath(path: string, method = "GET"): string {
  const rest = path.replace(/^\/(?:admin|v1)\/tenants\/[^/]+/, "");
  if (rest === path) return path;
  // What a tenant's own people may change of the tenant itself has a path of its own there.
  return PORTAL + (rest === "" && method === "PATCH" ? "/settings" : rest);
}

function throughPortal(
  through: TenantAccess["through"],
  tenant: string,
  headers: Record<string, string>,
): TenantAccess {
  const api = createClient<paths>({
    headers,
    fetch: async (request) => send(await moved(request)),
  });
  return { tenant, through, api, headers, url: (suffix) => PORTAL + suffix };
}

/** The same request, to the portal. */
async function moved(request: Request): Promise<Request> {
  const url = new URL(request.url);
  const { method, headers, signal } = request;
  url.pathname = portalPath(url.pathname, method);
  // A body that is handed on as a stream would not be sent without HTTP/2.
  const body = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
  return new Request(url, {
    method,
    headers,
    signal,
    body: body?.byteLength === 0 ? null : body,
  });
}
