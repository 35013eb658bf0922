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
