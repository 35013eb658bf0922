import type { Component } from "svelte";

import type { Key } from "./i18n/language.svelte";
import { match, type Params } from "./navigation/match";
import type { Permission } from "./session/may";

/** Who a page is for. `anybody` stands alone on the screen, `operator` has the operator's frame, `portal` the tenant's. */
export type Audience = "anybody" | "operator" | "portal" | "person";

/** A page's component; most addresses have no places whose values it would need. */
export type Page = Component<{ params: Params }> | Component<Record<string, never>>;

/** A page, loaded when it is first shown. */
export interface Route {
  pattern: string;
  title: Key;
  audience: Audience;
  /** What who looks must be able to do with the whole fleet. */
  needs?: Permission;
  load: () => Promise<{ default: Page }>;
}

/** All pages; the server answers exactly these paths with the program (`crates/control/src/http/pages/mod.rs`). */
export const ROUTES: readonly Route[] = [
  {
    pattern: "/setup",
    title: "entry.setup",
    audience: "anybody",
    load: () => import("./entry/SetUp.svelte"),
  },
  {
    pattern: "/sign-in",
    title: "entry.signIn",
    audience: "anybody",
    load: () => import("./entry/SignIn.svelte"),
  },
  {
    pattern: "/forgot",
    title: "entry.forgot",
    audience: "anybody",
    load: () => import("./entry/Forgot.svelte"),
  },
  {
    pattern: "/invitation",
    title: "entry.invitation",
    audience: "anybody",
    load: () => import("./entry/Accept.svelte"),
  },
  {
    pattern: "/reset",
    title: "entry.reset",
    audience: "anybody",
    load: () => import("./entry/Accept.svelte"),
  },
  {
    pattern: "/connect",
    title: "entry.connect",
    audience: "anybody",
    load: () => import("./entry/ConnectByLink.svelte"),
  },

  {
    pattern: "/",
    title: "frame.dashboard",
    audience: "operator",
    needs: "read",
    load: () => import("./fleet/Dashboard.svelte"),
  },
  {
    pattern: "/tenants",
    title: "frame.tenants",
    audience: "operator",
    needs: "read",
    load: () => import("./fleet/TenantList.svelte"),
  },
  {
    pattern: "/tenants/:tenant/:part?",
    title: "frame.tenants",
    audience: "operator",
    needs: "read",
    load: () => import("./tenant/TenantPage.svelte"),
  },
  {
    pattern: "/events",
    title: "frame.events",
    audience: "operator",
    needs: "read",
    load: () => import("./records/Events.svelte"),
  },
  {
    pattern: "/people",
    title: "frame.people",
    audience: "operator",
    needs: "admin",
    load: () => import("./people/People.svelte"),
  },
  {
    pattern: "/keys",
    title: "frame.keys",
    audience: "operator",
    needs: "admin",
    load: () => import("./people/Keys.svelte"),
  },
  {
    pattern: "/audit",
    title: "frame.audit",
    audience: "operator",
    needs: "admin",
    load: () => import("./records/Audit.svelte"),
  },
  {
    pattern: "/system",
    title: "frame.system",
    audience: "operator",
    needs: "admin",
    load: () => import("./system/System.svelte"),
  },

  {
    pattern: "/bot/:part?",
    title: "frame.portal",
    audience: "portal",
    load: () => import("./portal/Portal.svelte"),
  },
  {
    pattern: "/account",
    title: "frame.account",
    audience: "person",
    load: () => import("./account/Account.svelte"),
  },
];

/** The page at a path, with the values of its places. */
export function routeOf(path: string): { route: Route; params: Params } | undefined {
  for (const route of ROUTES) {
    const params = match(route.pattern, path);
    if (params !== undefined) return { route, params };
  }
  return undefined;
}
