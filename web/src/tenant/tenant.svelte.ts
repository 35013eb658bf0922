import { answered, type Schemas } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { operatorAccess, type TenantAccess } from "../api/tenant";
import { EventStream } from "../live/stream.svelte";

/** A tenant that is looked at: what it is, and how it stands as it changes. */
export class LookedAt {
  readonly access: TenantAccess;
  readonly stream: EventStream;
  /** What it is, settings and all. */
  view = $state.raw<Schemas["TenantView"]>() as Schemas["TenantView"];
  /** How it stands now. */
  status = $state.raw<Schemas["StatusView"]>() as Schemas["StatusView"];
  /** When `status` was told, in milliseconds since 1970. */
  toldAt = $state(Date.now());

  private constructor(view: Schemas["TenantView"]) {
    this.access = operatorAccess(view.id);
    this.take(view);
    this.stream = new EventStream({
      url: () => this.access.url("/stream"),
      onMessage: ({ event, data }) => {
        if (event === "status") this.#told((JSON.parse(data) as Schemas["TenantStream"]).status);
      },
    });
  }

  /**
   * Finds a tenant by its id or slug.
   *
   * @throws {Problem} when there is none, or the server does not answer.
   */
  static async find(tenant: string): Promise<LookedAt> {
    return new LookedAt(await load(operatorAccess(tenant)));
  }

  /** Whether its bot tells of its session at all; a program of the tenant's own may not. */
  get reports(): boolean {
    return this.view.config.heartbeat === "link";
  }

  /** Why it cannot be followed any more; it was deleted where this is a 404. */
  get ended(): Problem | undefined {
    return this.stream.state === "ended" ? this.stream.problem : undefined;
  }

  get isGone(): boolean {
    return this.ended?.status === 404 && this.ended.code === "unknown_tenant";
  }

  /** Takes what a request answered just now. */
  take(view: Schemas["TenantView"]): void {
    this.view = view;
    const { id: tenant_id, name, status, worker, session } = view;
    this.#told({ tenant_id, name, status, worker, session });
  }

  #told(status: Schemas["StatusView"]): void {
    this.status = status;
    this.toldAt = Date.now();
  }

  close(): void {
    this.stream.close();
  }
}

const load = ({ api, tenant }: TenantAccess): Promise<Schemas["TenantView"]> =>
  answered(api.GET("/admin/tenants/{tenant}", { params: { path: { tenant } } }));

/** What a page of a tenant is loaded to. */
export type Loaded =
  | { kind: "loading" }
  | { kind: "here"; tenant: LookedAt }
  | { kind: "unknown" }
  | { kind: "failed"; problem: Problem };

/** Loads a tenant for a page; what went wrong becomes what is shown. */
export async function look(tenant: string): Promise<Loaded> {
  try {
    return { kind: "here", tenant: await LookedAt.find(tenant) };
  } catch (error) {
    const problem = asProblem(error);
    return problem.code === "unknown_tenant" ? { kind: "unknown" } : { kind: "failed", problem };
  }
}
